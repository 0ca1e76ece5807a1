"""Against numbers that were worked out by hand, and against chance."""

import math
import random

import pytest

from headrace.release.sequential import (
    Estimate,
    RatioSums,
    difference,
    sample_ratio_p,
)


def test_a_ratio_and_its_variance_over_people() -> None:
    sums = RatioSums()
    # Clicks and lists of three people; 6 clicks of 12 lists, residuals y - x/2: 0, 1, -1.
    for clicks, lists in ((1, 2), (3, 4), (2, 6)):
        sums.add(clicks, lists)
    found = sums.ratio()
    assert found is not None
    assert found.value == 0.5
    # (0 + 1 + 1) / 2 / (3 * 4^2)
    assert found.variance == pytest.approx(1 / 48)
    assert found.interval == pytest.approx((0.5 - 1.959964 / 48**0.5, 0.5 + 1.959964 / 48**0.5))


def test_of_one_person_or_nothing_nothing_is_said() -> None:
    sums = RatioSums()
    assert sums.ratio() is None
    sums.add(1, 2)
    assert sums.ratio() is None
    nothing = RatioSums()
    nothing.add(0, 0)
    nothing.add(0, 0)
    assert nothing.ratio() is None


def test_the_mixture_ratio_by_hand() -> None:
    # V = 3 + 1 = 4, tau^2 = 12, d = 8: Lambda = sqrt(4/16) exp(12 * 64 / (2 * 4 * 16)) = e^6 / 2.
    found = difference(Estimate(1, 3, 9), Estimate(9, 1, 9), math.sqrt(12))
    assert found.value == 8
    assert found.p == pytest.approx(2 * math.exp(-6))
    # half^2 = 4 * 16 / 12 * (2 ln 20 + ln 4)
    half = math.sqrt(16 / 3 * (2 * math.log(20) + math.log(4)))
    assert (found.low, found.high) == pytest.approx((8 - half, 8 + half))


def test_the_interval_leaves_out_0_exactly_where_p_is_below_5_percent() -> None:
    for step in range(1, 60):
        found = difference(Estimate(0, 1, 2), Estimate(step / 10, 1, 2), 1.5)
        assert (found.low > 0) == (found.p < 0.05), step


def test_without_any_variance_nothing_is_known() -> None:
    found = difference(Estimate(0, 0, 5), Estimate(0, 0, 5), 0.1)
    assert (found.p, found.low, found.high) == (1.0, -math.inf, math.inf)


def test_who_looks_all_the_time_is_misled_in_5_percent_of_cases_at_most() -> None:
    """Two equal models, looked at after every 20 people a side: an ordinary test would call every
    third pair different."""
    draw = random.Random(7)
    misled = ordinary = 0
    for _ in range(200):
        sides = (RatioSums(), RatioSums())
        told = told_by_ordinary = False
        for _ in range(40):
            for side in sides:
                for _ in range(20):
                    side.add(float(draw.random() < 0.3), 1.0)
            live, candidate = (side.ratio() for side in sides)
            assert live is not None
            assert candidate is not None
            told |= difference(live, candidate, 0.05).p < 0.05
            gap = abs(candidate.value - live.value)
            told_by_ordinary |= gap > 1.96 * math.sqrt(live.variance + candidate.variance)
        misled += told
        ordinary += told_by_ordinary
    assert misled <= 0.05 * 200
    assert ordinary > 0.2 * 200


def test_a_wrong_split_is_noticed() -> None:
    # chi2 = (60 - 50)^2 / 50 * 2 = 4, two-sided beyond two standard deviations: 4.55 %.
    assert sample_ratio_p(40, 60, 0.5) == pytest.approx(0.0455, abs=1e-4)
    assert sample_ratio_p(900, 100, 0.1) == pytest.approx(1.0)
    assert sample_ratio_p(9_200, 800, 0.1) < 1e-9
    assert sample_ratio_p(0, 0, 0.1) == 1.0
    assert sample_ratio_p(0, 10, 1.0) == 1.0
