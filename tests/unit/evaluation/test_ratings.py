import numpy as np
import pytest

from headrace.evaluation.ratings import errors


def test_errors_are_counted_by_hand() -> None:
    off = errors(np.array([3.0, 5.0, 1.0, 2.0]), np.array([3.0, 4.0, 4.0, 4.0]))
    assert off == pytest.approx((6 / 4, 14 / 4, (14 / 4) ** 0.5))


def test_a_perfect_prediction_has_no_error() -> None:
    assert errors(np.array([4.0]), np.array([4.0])) == (0.0, 0.0, 0.0)
