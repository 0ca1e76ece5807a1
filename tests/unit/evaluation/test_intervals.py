import math

import numpy as np
import pytest

from headrace.evaluation.intervals import difference, interval


def coins(people: int, share: float) -> np.ndarray:
    return (np.arange(people) < share * people).astype(np.float64)


def test_an_interval_has_the_width_of_a_binomial() -> None:
    found = interval(coins(1_000, 0.3))
    by_hand = 1.96 * math.sqrt(0.3 * 0.7 / 1_000)
    assert found.mean == pytest.approx(0.3)
    assert found.high - found.low == pytest.approx(2 * by_hand, rel=0.1)


def test_what_never_varies_has_no_width() -> None:
    assert interval(np.ones(50)) == (1.0, 1.0, 1.0)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(3).random(200)
    assert interval(values, seed=1) == interval(values, seed=1)
    assert interval(values, seed=1) != interval(values, seed=2)


def test_nobody_has_no_mean() -> None:
    assert math.isnan(interval(np.zeros(0)).mean)


def test_a_small_difference_among_few_people_is_within_noise() -> None:
    random = np.random.default_rng(0)
    first, second = random.random(40), random.random(40)
    assert difference(first, second).verdict == "within noise"


def test_pairing_finds_a_difference_that_intervals_alone_hide() -> None:
    reference = np.random.default_rng(0).random(100)
    values = reference + 0.01
    assert interval(values).low < interval(reference).high
    assert difference(values, reference).verdict == "better"
    assert difference(reference, values).verdict == "worse"


def test_other_people_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="3 and 2 people"):
        difference(np.zeros(3), np.zeros(2))
