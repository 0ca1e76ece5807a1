"""Protos may grow, and may not take back what was released."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROTOS = Path(__file__).parents[3] / "protos"
EVENTS = "headrace/api/events/v1/events.proto"


def breaking(folder: Path) -> str:
    """What `make lint` would say about the protos in a folder; empty: nothing."""
    program = shutil.which("buf", path=str(Path(sys.executable).parent))
    assert program, "buf is missing: run `make setup`"
    run = subprocess.run(
        [program, "breaking", "--against", str(PROTOS / "released.binpb")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode != 0) == bool(run.stdout), run.stderr
    return run.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(PROTOS, tmp_path / "protos"))


def changed(folder: Path, before: str, after: str) -> Path:
    path = folder / EVENTS
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))
    return folder


def test_the_protos_break_nothing_that_was_released() -> None:
    assert breaking(PROTOS) == ""


def test_a_field_may_be_added(folder: Path) -> None:
    grown = changed(folder, "bool backfill = 9;", "bool backfill = 9;\n  string more = 999;")
    assert breaking(grown) == ""


@pytest.mark.parametrize(
    "after",
    ["", "string backfill = 9;", "bool imported = 9;", "bool backfill = 999;"],
    ids=["removed", "of another type", "renamed", "renumbered"],
)
def test_a_field_may_not_be_taken_back_or_changed(folder: Path, after: str) -> None:
    assert EVENTS in breaking(changed(folder, "bool backfill = 9;", after))
