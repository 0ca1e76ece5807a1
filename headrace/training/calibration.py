"""Platt scaling: from a score to a chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 50
_CONVERGED = 1e-6
# Preferences must keep the order of the logits whatever the data say.
_SMALLEST_SLOPE = 1e-2


def platt(logits: NDArray[np.float32], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of sigmoid(slope * logit + offset) by Newton's method (Platt 1999).

    Shapes: logits and labels [P].
    """
    rate = max(float(labels.mean()), 1 / len(labels))
    centre = float(logits.mean())
    x = np.stack([logits - centre, np.ones_like(logits)], axis=1).astype(np.float64)
    weights = np.array([_SMALLEST_SLOPE, np.log(rate)])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (chance - labels)
        curvature = (x * (chance * (1 - chance))[:, None]).T @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        # Far from the optimum a full step overshoots.
        weights = weights - step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < _CONVERGED:
            break
    slope = max(float(weights[0]), _SMALLEST_SLOPE)
    return slope, float(weights[1]) - slope * centre
