import numpy as np
import pytest

from headrace.training.budget import Budget
from headrace.training.calibration import platt


def test_platt_finds_the_slope_and_offset_that_made_the_labels() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=200_000).astype(np.float32)
    labels = random.random(len(logits)) < 1 / (1 + np.exp(-(1.5 * logits - 3)))
    slope, offset = platt(logits, labels)
    assert slope == pytest.approx(1.5, abs=0.05)
    assert offset == pytest.approx(-3, abs=0.1)


def test_labels_against_the_order_do_not_turn_it_round() -> None:
    logits = np.linspace(-1, 1, 100, dtype=np.float32)
    slope, _ = platt(logits, logits < 0)
    assert slope > 0


def test_no_label_at_all_gives_small_chances() -> None:
    slope, offset = platt(np.zeros(100, dtype=np.float32), np.zeros(100, dtype=np.bool_))
    assert slope > 0
    assert offset < -3


def test_a_part_of_a_budget_ends_with_the_whole() -> None:
    now = [0.0]
    budget = Budget(10, clock=lambda: now[0])
    now[0] = 8
    assert budget.left == 2
    assert budget.share == pytest.approx(0.8)
    assert budget.part(5).seconds == 2
    now[0] = 11
    assert budget.part(5).seconds == 0
    assert budget.share == 1
