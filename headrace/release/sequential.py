"""Differences between two groups of people that may be looked at whenever one likes.

An ordinary test is right at one moment that was fixed before. A release is watched: its intervals
must hold at every moment at once: the mixture sequential probability ratio test (mSPRT; Robbins
1970; Johari, Koomen, Pekelis and Walsh 2022, "Always Valid Inference", Operations Research 70(3)).
People are drawn, not lists, so a ratio's variance is that over people, by the delta method (Deng,
Knoblich and Lu 2018, KDD).
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

# The two sides of a normal distribution beyond it have 5 %.
_Z = 1.959964
_ALPHA = 0.05
# Below, the split itself is broken (Fabijan et al. 2019, KDD, "Diagnosing Sample Ratio Mismatch").
MISMATCH = 0.001


class Estimate(NamedTuple):
    """A value and the variance of its estimate. people: who were counted."""

    value: float
    variance: float
    people: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, for this moment alone."""
        half = _Z * math.sqrt(self.variance)
        return self.value - half, self.value + half


@dataclass
class RatioSums:
    """Sums over people of y and x, whose ratio is of interest: clicks a list, say."""

    people: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def add(self, y: float, x: float) -> None:
        """One person."""
        self.people += 1
        self.x += x
        self.y += y
        self.xx += x * x
        self.xy += x * y
        self.yy += y * y

    def ratio(self) -> Estimate | None:
        """Sum of y by sum of x; None of fewer than two people, or where x is 0.

        variance: (s_yy - 2 r s_xy + r^2 s_xx) / (n mean(x)^2), s over people, with n - 1.
        """
        n = self.people
        if n < 2 or self.x <= 0:
            return None
        r = self.y / self.x
        # The residuals y - r x have mean 0.
        squares = self.yy - 2 * r * self.xy + r * r * self.xx
        mean = self.x / n
        return Estimate(r, max(0.0, squares) / (n - 1) / (n * mean * mean), n)


class Difference(NamedTuple):
    """Candidate less live. low, high: 95 %, at every moment. p: always valid."""

    value: float
    low: float
    high: float
    p: float


def difference(live: Estimate, candidate: Estimate, tau: float) -> Difference:
    """By the mSPRT with a normal mixture around 0.

    tau: standard deviation of the mixture, of the size of differences that one expects, fixed
    before the first look. With V the variance of the difference d:
    Lambda = sqrt(V / (V + tau^2)) exp(tau^2 d^2 / (2 V (V + tau^2))), p = min(1, 1 / Lambda).
    """
    d, v = candidate.value - live.value, candidate.variance + live.variance
    if v <= 0:
        # Nobody did anything: nothing is known, whatever the numbers say.
        return Difference(d, -math.inf, math.inf, 1.0)
    both = v + tau * tau
    log_lambda = 0.5 * math.log(v / both) + tau * tau * d * d / (2 * v * both)
    half = math.sqrt(v * both / (tau * tau) * (2 * math.log(1 / _ALPHA) + math.log(both / v)))
    return Difference(d, d - half, d + half, min(1.0, math.exp(-log_lambda)))


def sample_ratio_p(live: int, candidate: int, share: float) -> float:
    """How probable so uneven a split is where each person is the candidate's with chance `share`.

    Pearson's chi square with one degree of freedom: P(chi2 > x) = erfc(sqrt(x / 2)).
    """
    people = live + candidate
    if not people or share in (0.0, 1.0):
        return 1.0
    expected = people * share
    chi2 = (candidate - expected) ** 2 * (1 / expected + 1 / (people - expected))
    return math.erfc(math.sqrt(chi2 / 2))
