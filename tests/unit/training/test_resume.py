"""Killed and resumed is never killed, to the last bit."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from headrace.training.budget import Budget
from headrace.training.checkpoint import Checkpoints
from headrace.training.data import read_log
from headrace.training.model import Model, build_model
from headrace.training.progress import Progress
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from tests.unit.training.logs import write_rounds

# Sampled for the first half, the whole catalogue after that.
SETTINGS = TrainingSettings(
    width=8, max_epochs=4, batch_users=16, chunk=6, negatives=10, sampled_share=0.5, patience=2
)


class Killed(Exception):
    pass


def fresh_model(folder: Path, settings: TrainingSettings = SETTINGS) -> Model:
    log = read_log(*write_rounds(folder, users=40, items=20, length=12))
    return build_model(log, split(log, "leave-one-out"), settings)


def fitted(
    folder: Path,
    checkpoints: Checkpoints | None,
    tick: Callable[[float], None] = lambda _: None,
    settings: TrainingSettings = SETTINGS,
) -> tuple[Model, Progress]:
    model = fresh_model(folder, settings)
    # A process that goes on does not know what random numbers the killed one had.
    torch.manual_seed(0 if checkpoints is None or checkpoints.load() is None else 99)
    stage = TowerStage(model, model.split.train_ends, Budget(600), checkpoints, Team())
    saved = checkpoints.load() if checkpoints else None
    progress = stage.run(saved, lambda _: None, tick, lambda: 0.0)
    return model, progress


def killed_at(step: int) -> Callable[[float], None]:
    steps = 0

    def tick(passes: float) -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            raise Killed

    return tick


@pytest.mark.parametrize("step", [5, 17, 23])
def test_a_killed_and_resumed_run_has_the_weights_of_one_never_killed(
    tmp_path: Path, step: int
) -> None:
    whole, progress = fitted(tmp_path, None)
    ticks = itertools.count()  # a save every few steps: some steps before the kill are lost
    checkpoints = Checkpoints(tmp_path / "saved", "job", 3, clock=lambda: float(next(ticks)))
    with pytest.raises(Killed):
        fitted(tmp_path, checkpoints, killed_at(step))
    resumed, resumed_progress = fitted(tmp_path, checkpoints)
    assert resumed_progress.steps == progress.steps > step
    for name, weight in whole.towers.state_dict().items():
        assert torch.equal(weight, resumed.towers.state_dict()[name]), name


def test_a_run_that_had_finished_its_towers_does_not_fit_them_again(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "saved", "job", every_s=600)
    whole, _ = fitted(tmp_path, checkpoints)
    resumed, _ = fitted(tmp_path, checkpoints, killed_at(1))
    for name, weight in whole.towers.state_dict().items():
        assert torch.equal(weight, resumed.towers.state_dict()[name]), name


def test_fitting_ends_early_once_nothing_improves(tmp_path: Path) -> None:
    still = TrainingSettings(width=8, max_epochs=30, learning_rate=0.0, patience=3)
    _, progress = fitted(tmp_path, None, settings=still)
    assert progress.epochs == 1 + 3


def test_the_curve_is_kept_beside_the_checkpoint(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "saved", "job", every_s=600)
    _, progress = fitted(tmp_path, checkpoints)
    lines = (tmp_path / "saved" / "curve.jsonl").read_text().splitlines()
    assert len(lines) == progress.epochs
    assert '"ndcg_at_10": ' in lines[0]
