"""How far a fitting has come, and what follows from that: learning rate, end, judgements."""

from __future__ import annotations

import math

from headrace.training.budget import Budget

_WARM_UP_STEPS = 50
_JUDGEMENTS = 40
# A judgement may take this share of the time since the one before.
_JUDGING_SHARE = 0.06


class Course:
    """From 0 to 1, by epochs where their number is given, else by the time of the budget.

    With a number of epochs everything but an early end is a function of the steps done, so that
    a run can be repeated bit by bit.
    """

    def __init__(self, budget: Budget, epochs: int | None) -> None:
        self._budget = budget
        self._epochs = epochs

    @property
    def spent_s(self) -> float:
        return self._budget.elapsed

    def share(self, epochs: float) -> float:
        """How much is done after so many epochs: 0 to 1."""
        if self._epochs is not None:
            return min(1.0, epochs / self._epochs)
        return self._budget.share

    def over(self, epochs: float) -> bool:
        return self.share(epochs) >= 1 or self._budget.left <= 0

    def judgement_due(self, epochs: int, judged: float, since_s: float, cost_s: float) -> bool:
        """Whether to judge now, after a judgement at the share `judged`, `since_s` ago."""
        worth_it = self._epochs is not None or since_s * _JUDGING_SHARE >= cost_s
        return worth_it and self.share(epochs) - judged >= 1 / _JUDGEMENTS


def learning_rate(greatest: float, share: float, steps: int) -> float:
    """A short warm-up, then half a cosine down to a twentieth."""
    warm = min(1.0, (steps + 1) / _WARM_UP_STEPS)
    decay = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share))
    return greatest * warm * decay
