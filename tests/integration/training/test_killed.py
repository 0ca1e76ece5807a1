"""Killed and started again, a process learns to the last bit what it would have learned."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from tests.integration.training.member import trained
from tests.unit.training.logs import write_rounds

_ROOT = Path(__file__).parents[3]
_DEADLINE_S = 240
_EPOCHS = 60


def test_killed_and_started_again_is_never_killed(tmp_path: Path) -> None:
    write_rounds(tmp_path)
    checkpoint = tmp_path / "saved" / "checkpoint.pt"
    command = [sys.executable, "-m", "tests.integration.training.member"]
    command += [str(tmp_path), str(_EPOCHS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    with subprocess.Popen(command, cwd=_ROOT, env=environment) as victim:
        deadline = time.monotonic() + _DEADLINE_S
        while not checkpoint.exists():
            assert victim.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        victim.send_signal(signal.SIGKILL)
    assert victim.returncode == -signal.SIGKILL
    assert not torch.load(checkpoint)["finished"]

    again = subprocess.run(
        command,
        cwd=_ROOT,
        env=environment,
        check=True,
        timeout=_DEADLINE_S,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert "resuming after" in again.stdout
    whole = trained(tmp_path, _EPOCHS)
    assert whole is not None
    resumed = torch.load(checkpoint)["fit"]["best"]
    for name, weight in whole.model.towers.state_dict().items():
        assert torch.equal(weight, resumed[name]), name
    assert json.loads((tmp_path / "metrics.json").read_text()) == whole.metrics
    assert list((tmp_path / "saved").glob("curve.jsonl"))
