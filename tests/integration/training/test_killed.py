"""Killed and started again, a process learns to the last bit what it would have learned."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from tests.killed import kill_once
from tests.unit.training.logs import write_rounds

_ROOT = Path(__file__).parents[3]
_DEADLINE_S = 240
_EPOCHS = 60


def test_killed_and_started_again_is_never_killed(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for folder in (killed, whole):
        folder.mkdir()
        write_rounds(folder)
    checkpoint = killed / "saved" / "checkpoint.pt"
    with subprocess.Popen(command(killed), cwd=_ROOT, env=_environment()) as victim:
        kill_once(checkpoint.exists, victim, _DEADLINE_S)
    assert not torch.load(checkpoint)["finished"]

    assert "resuming after" in printed(killed)
    assert "resuming after" not in printed(whole)
    resumed, expected = (
        torch.load(folder / "saved" / "checkpoint.pt")["fit"]["best"] for folder in (killed, whole)
    )
    assert resumed.keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.equal(weight, resumed[name]), name
    assert (killed / "metrics.json").read_text() == (whole / "metrics.json").read_text()
    assert list((killed / "saved").glob("curve.jsonl"))


def command(folder: Path) -> list[str]:
    member = "tests.integration.training.member"
    return [sys.executable, "-m", member, str(folder), str(_EPOCHS)]


def printed(folder: Path) -> str:
    """By a run that comes to its end."""
    done = subprocess.run(
        command(folder),
        cwd=_ROOT,
        env=_environment(),
        check=True,
        timeout=_DEADLINE_S,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}
