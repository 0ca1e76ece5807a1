"""How far predicted ratings are from those given."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Errors(NamedTuple):
    """In units of the rating; MSE in its square."""

    mae: float
    mse: float
    rmse: float


def errors(predicted: NDArray[Any], given: NDArray[Any]) -> Errors:
    """Mean absolute, mean squared and root mean squared error. Shapes: both [Q]."""
    off = predicted.astype(np.float64) - given.astype(np.float64)
    mse = float(np.mean(np.square(off)))
    return Errors(float(np.mean(np.abs(off))), mse, mse**0.5)
