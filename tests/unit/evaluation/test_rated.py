import dataclasses

import numpy as np
import pytest

from headrace.evaluation.rated import Means, rated
from headrace.training.split import split
from tests.unit.evaluation.toy import toy_log


def test_the_threshold_comes_from_validation_and_what_has_no_rating_is_left_out() -> None:
    given = {
        "validation": np.array([4.0, 5.0, 3.0, np.nan]),
        "test": np.array([5.0, 2.0, np.nan]),
    }
    # On validation what is liked begins at 3.6.
    predicted = {"validation": np.array([3.6, 3.9, 3.5, 1.0]), "test": np.array([3.7, 3.0, 5.0])}
    found = rated(predicted, given)
    assert found.events == 2
    assert found.errors.mae == pytest.approx((1.3 + 1.0) / 2)
    assert found.liked == (1.0, 1.0, 1.0, 1.0)
    assert found.auc == 1.0


def test_means_are_damped_and_do_not_see_what_is_held_out() -> None:
    log = toy_log(people=1, shortest=4)
    log = dataclasses.replace(log, ratings=np.array([5, 3, 1, 1], dtype=np.float32))
    parts = split(log, "leave-one-out")
    # Mean 4 of two ratings; items 1/26 off, and that taken off the person evens out.
    assert Means(log, parts).ratings(parts.test) == pytest.approx([4.0])
    learned = dataclasses.replace(parts.test, positions=np.array([0]))
    assert Means(log, parts).of_items(learned) == pytest.approx([4 + 1 / 26])


def test_a_rating_moves_its_item_by_a_twenty_sixth() -> None:
    log = toy_log(people=2, shortest=4)
    ratings = np.full(len(log.items), np.nan, dtype=np.float32)
    ratings[:2] = 5, 3
    log = dataclasses.replace(
        log, ratings=ratings, items=np.tile(log.items[:3], 4)[: len(log.items)]
    )
    parts = split(log, "leave-one-out")
    means = Means(log, parts).ratings(parts.test)
    offset = {0: 1 / 26, 1: -1 / 26, 2: 0.0}
    places = np.array([list(log.items[:3]).index(i) for i in log.items[parts.test.positions]])
    assert means == pytest.approx([4 + offset[place] for place in places.tolist()])
