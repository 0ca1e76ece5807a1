"""Ids mean nothing: other names for the same items change a figure by noise alone."""

import csv
from pathlib import Path

import numpy as np

from headrace.training.budget import Budget
from headrace.training.data import read_log
from headrace.training.model import build_model
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage

_ITEMS, _USERS, _EVENTS = 60, 90, 20
_NOISE = 0.05


def test_the_figure_stays_when_items_get_random_names(tmp_path: Path) -> None:
    ordered = [f"item-{i:03}" for i in range(_ITEMS)]
    renamed = np.random.default_rng(1).permutation(ordered).tolist()
    figures = [quality(write_ties(tmp_path, names)) for names in (ordered, renamed)]
    assert min(figures) > 0.5
    assert abs(figures[0] - figures[1]) < _NOISE


def quality(interactions: Path) -> float:
    """The best NDCG@10 on validation."""
    log = read_log(interactions)
    settings = TrainingSettings(width=16, max_epochs=30, chunk=16, learning_rate=1e-2)
    model = build_model(log, split(log, "leave-one-out"), settings)
    stage = TowerStage(model, model.split.train_ends, Budget(600), None, Team())
    return stage.run(None, lambda _: None, lambda _: None, lambda: 0.0).best


def write_ties(folder: Path, names: list[str]) -> Path:
    """People who stay within a third of the items, with five events at each moment."""
    random = np.random.default_rng(0)
    path = folder / "events.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "item_id", "timestamp"])
        for user in range(_USERS):
            taken = 3 * random.permutation(_ITEMS // 3)[:_EVENTS] + user % 3
            rows.writerows([user, names[i], at // 5] for at, i in enumerate(taken))
    return path
