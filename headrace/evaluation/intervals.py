"""How sure a mean is: bootstrap over people (Efron 1979), the same resamples for all models."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from headrace.evaluation.metrics import Values

_LEVEL = 0.95
_RESAMPLES = 1_000
# Bounds the drawn places of one step to 8 MB.
_DRAWS = 1_000_000

Verdict = Literal["better", "worse", "within noise"]


class Interval(NamedTuple):
    """A mean, and between what it would lie in 95 of 100 samples of people."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


class Difference(NamedTuple):
    """Of two models on the same people."""

    interval: Interval
    verdict: Verdict


def interval(values: Values, *, seed: int = 0) -> Interval:
    """The mean of what people got; NaN where there are none. Shapes: values [Q]."""
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"))
    means = _resampled_means(values, seed)
    low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(np.mean(values)), float(low), float(high))


def difference(values: Values, reference: Values, *, seed: int = 0) -> Difference:
    """`values` minus `reference`, person by person: better only if the interval is above 0.

    Shapes: both [Q], the same people in the same order.

    Raises: ValueError where they are not equally many.
    """
    if len(values) != len(reference):
        raise ValueError(f"{len(values)} and {len(reference)} people cannot be paired")
    between = interval(values - reference, seed=seed)
    verdict: Verdict = "within noise"
    if between.low > 0:
        verdict = "better"
    elif between.high < 0:
        verdict = "worse"
    return Difference(between, verdict)


def _resampled_means(values: Values, seed: int) -> Values:
    """Shapes: values [Q] -> [resamples]."""
    random = np.random.default_rng(seed)
    rows = max(1, _DRAWS // len(values))
    means = [
        values[random.integers(0, len(values), (min(rows, _RESAMPLES - start), len(values)))].mean(
            axis=1
        )
        for start in range(0, _RESAMPLES, rows)
    ]
    return np.concatenate(means)
