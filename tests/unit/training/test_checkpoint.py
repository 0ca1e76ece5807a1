from pathlib import Path

import pytest
import torch

from headrace.errors import DataInvalid
from headrace.training.checkpoint import CheckpointFailed, Checkpoints
from tests.unit.training.disk import room_for


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "new" / "folder", "job", every_s=60)
    assert checkpoints.load() is None
    checkpoints.save({"weights": torch.arange(3), "epochs": 2})
    saved = checkpoints.load()
    assert saved is not None
    assert saved["weights"].tolist() == [0, 1, 2]
    assert saved["epochs"] == 2


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "job", every_s=60)
    checkpoints.save({"epochs": 1})
    with room_for(20_000), pytest.raises(CheckpointFailed, match="the one before is kept"):
        checkpoints.save({"epochs": 2, "weights": torch.zeros(100_000)})
    saved = checkpoints.load()
    assert saved is not None
    assert saved["epochs"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_another_job_does_not_go_on_from_it(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "job", every_s=60).save({})
    with pytest.raises(DataInvalid, match="other interactions, items or settings"):
        Checkpoints(tmp_path, "other job", every_s=60).load()


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"half of somethi")
    with pytest.raises(CheckpointFailed, match=r"checkpoint\.pt: cannot be read"):
        Checkpoints(tmp_path, "job", every_s=60).load()


def test_a_checkpoint_is_due_after_its_interval(tmp_path: Path) -> None:
    times = iter([0.0, 59.0, 60.0, 61.0, 120.0])
    checkpoints = Checkpoints(tmp_path, "job", every_s=60, clock=lambda: next(times))
    assert [checkpoints.due, checkpoints.due] == [False, True]
    checkpoints.save({})
    assert [checkpoints.due] == [False]
