"""The index that drift is seen by, against a value worked out by hand."""

import math

import pytest

from headrace.evaluation.drift import DRIFTED, HISTORIES, stability_index


def test_the_index_is_that_of_the_formula() -> None:
    # 30 % and 70 % against 50 % and 50 %: (-.2) ln(.3 / .5) + .2 ln(.7 / .5).
    expected = -0.2 * math.log(0.3 / 0.5) + 0.2 * math.log(0.7 / 0.5)
    found = stability_index({"a": 30, "b": 70}, {"a": 10, "b": 10})
    assert found == pytest.approx(expected, abs=1e-3)


def test_the_same_shares_are_no_drift_however_many_there_are() -> None:
    assert stability_index({"a": 3, "b": 1}, {"a": 3000, "b": 1000}) == pytest.approx(0)


def test_a_range_that_empties_is_drift_and_not_infinite() -> None:
    assert DRIFTED < stability_index({"a": 10}, {"a": 5, "b": 5}) < 10


def test_without_events_nothing_is_told() -> None:
    assert stability_index({}, {"a": 1}) == 0
    assert stability_index({"a": 1}, {}) == 0


def test_histories_of_a_hundred_and_more_are_one_range() -> None:
    assert HISTORIES.of(100) == HISTORIES.of(10_000) == "100+"
