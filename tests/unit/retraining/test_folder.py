"""What a killed run leaves, and who goes on from it."""

import time
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import pytest

from headrace.errors import DataInvalid
from headrace.retraining.folder import Cause, Memory, RunFolder
from headrace.retraining.news import Cuts
from headrace.retraining.plan import Plan
from headrace.retraining.reasons import Standing

CAUSE = Cause(
    Standing(datetime(2026, 11, 27, tzinfo=UTC), exact=True, events=12_000, drift={"type": 0.3}),
    ("12,000 events are new, 10,000 are enough",),
    unseen=True,
    cuts=Cuts(1_795_000_000.5, 1_795_100_000.25),
)


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a run that was killed in training."""
    folder = RunFolder(tmp_path / "run", "minutes=60")
    assert folder.memory("m1") is None
    folder.keep("m1", Memory(CAUSE))
    folder.keep("m1", Memory(CAUSE, Plan(people=900, train_s=inf, spent_s=12.5)))
    for part in (folder.prepared, folder.checkpoint):
        part.mkdir()
        (part / "file").write_text("")
    return tmp_path / "run"


def test_the_same_command_goes_on_with_its_reason_its_data_and_its_plan(killed: Path) -> None:
    folder = RunFolder(killed, "minutes=60")
    assert folder.memory("m1") == Memory(CAUSE, Plan(people=900, train_s=inf, spent_s=12.5))
    assert (folder.prepared / "file").exists()
    folder.empty()
    assert list(killed.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "live", "later_s"),
    [("minutes=30", "m1", 0), ("minutes=60", "m2", 0), ("minutes=60", "m1", 13 * 3_600)],
)
def test_another_command_another_live_model_or_half_a_day_later_begins_anew(
    killed: Path, command: str, live: str, later_s: float
) -> None:
    folder = RunFolder(killed, command, now=lambda: time.time() + later_s)
    assert folder.memory(live) is None
    assert list(killed.iterdir()) == []


def test_what_a_kill_left_half_done_is_removed(killed: Path) -> None:
    (killed / ".prepared.x1").mkdir()
    assert RunFolder(killed, "minutes=60").memory("m1") is not None
    assert not (killed / ".prepared.x1").exists()


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    folder = RunFolder(tmp_path, "minutes=60")
    folder.empty()
    with pytest.raises(DataInvalid, match="holds something else"):
        folder.memory("m1")
    assert (tmp_path / "thesis.tex").exists()


def test_a_run_that_was_killed_at_its_first_word_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "run.unfinished").write_text('{"comm')
    folder = RunFolder(tmp_path, "minutes=60")
    assert folder.memory("m1") is None
    folder.keep("m1", Memory(CAUSE))
    assert folder.memory("m1") == Memory(CAUSE)
