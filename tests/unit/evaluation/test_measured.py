import math

import numpy as np
import pytest

from headrace.bundle.content import ItemContent
from headrace.evaluation.measured import World, measure
from headrace.evaluation.protocol import Questions

NAMES = ["water", "water", "fire", ""]
CATALOGUE = [
    ItemContent(f"i{i}", categories=(name,) if name else ()) for i, name in enumerate(NAMES)
]
WORLD = World.of(CATALOGUE, np.array([4, 2, 1, 0]), people=4)
ASKED = Questions([np.array([3]), np.array([2])], np.array([0, 3]))
LISTS = np.array([[0, 1, 2], [1, 0, -1]])  # the second is at its end


def test_lists_are_measured_where_they_are_full() -> None:
    found = measure(np.array([1, 3]), LISTS, ASKED, WORLD).lists
    assert found["coverage@10"] == 3 / 4
    # Of 4 people 4, 2 and 1 had the items: 0, 1 and 2 bits.
    assert found["novelty@10"] == pytest.approx(1.0)
    # Of three pairs one shares its category.
    assert found["diversity@10"] == pytest.approx(2 / 3)


def test_lists_that_are_never_full_have_no_figures() -> None:
    assert measure(np.array([1, 3]), LISTS[1:].repeat(2, axis=0), ASKED, WORLD).lists == {}


def test_auc_is_the_share_of_other_items_below_the_target() -> None:
    found = measure(np.array([1, 3]), LISTS, ASKED, WORLD, shown=np.array([3, 3]))
    assert found.intervals["AUC"].mean == pytest.approx((1 + 0) / 2)
    assert "AUC" not in measure(np.array([1, 3]), LISTS, ASKED, WORLD).intervals


def test_each_metric_is_the_mean_over_people() -> None:
    found = measure(np.array([1, 3]), LISTS, ASKED, WORLD).intervals
    assert found["NDCG@10"].mean == pytest.approx((1 + 1 / math.log2(4)) / 2)
    assert found["MRR@10"].mean == pytest.approx((1 + 1 / 3) / 2)
    assert found["precision@10"].mean == pytest.approx(0.1)


def test_slices_have_their_own_means() -> None:
    found = measure(np.array([1, 30]), LISTS, ASKED, WORLD).slices
    assert found["popular items"].questions == 1
    assert found["popular items"].values["HR@10"].mean == 1.0
    assert found["cold items"].values["HR@10"].mean == 0.0
