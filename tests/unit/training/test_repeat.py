"""With a number of epochs a run is a function of its data, settings and seed."""

import dataclasses
import itertools
from pathlib import Path

import torch

from headrace.training.budget import Budget
from headrace.training.progress import Progress
from headrace.training.settings import TrainingSettings
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from tests.unit.training.test_resume import SETTINGS, fresh_model


def weights(
    folder: Path, settings: TrainingSettings, tick_s: float, seconds: float = 1e9
) -> tuple[dict[str, torch.Tensor], Progress]:
    """After a fitting in which each look at the clock finds it `tick_s` later."""
    clock = itertools.count()
    model = fresh_model(folder, settings)
    budget = Budget(seconds, lambda: tick_s * next(clock))
    stage = TowerStage(model, model.split.train_ends, budget, None, Team())
    progress = stage.run(None, lambda _: None, lambda _: None, lambda: 0.0)
    return model.towers.state_dict(), progress


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_how_long_the_steps_take_does_not_change_a_bit(tmp_path: Path) -> None:
    quick, _ = weights(tmp_path, SETTINGS, tick_s=0.001)
    slow, _ = weights(tmp_path, SETTINGS, tick_s=1000.0)
    assert same(quick, slow)


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    one, _ = weights(tmp_path, SETTINGS, tick_s=1.0)
    other, _ = weights(tmp_path, dataclasses.replace(SETTINGS, seed=1), tick_s=1.0)
    assert not same(one, other)


def test_a_fitting_that_time_ends_before_its_epochs_is_known(tmp_path: Path) -> None:
    _, whole = weights(tmp_path, SETTINGS, tick_s=1.0)
    _, cut = weights(tmp_path, SETTINGS, tick_s=1.0, seconds=20)
    assert not whole.cut_from(SETTINGS)
    assert cut.cut_from(SETTINGS)
