"""How the time that was given is spent: what comes after training is set aside before it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from headrace.errors import FailedPrecondition

# Both models' halves together. The interval narrows with the root of the people asked: twice the
# time for it would make it narrower by 30 %, and the candidate worse.
_TRIAL_SHARE = 0.25
# A candidate that had less would be refused by chance.
_TRAINING_SHARE = 1 / 3
# Cores get busier than they were at the rehearsal.
_CAUTION = 1.25
# The candidate is copied to its place, read to be tried and again to be proposed, then the live one
# once more beside it.
_READINGS = 4


@dataclass(frozen=True)
class Rehearsal:
    """What the trial's steps took with the live model, in seconds. loading_s: reading it from its
    place. catalogue_s: its vectors of all items, and an index. person_s: one person's lists."""

    loading_s: float
    catalogue_s: float
    person_s: float

    def trial_s(self, people: int) -> float:
        """For both models."""
        return 2 * (self.catalogue_s + people * self.person_s)

    def after_s(self, people: int) -> float:
        """From the end of training to the proposal."""
        return _CAUTION * (self.trial_s(people) + _READINGS * self.loading_s)


@dataclass(frozen=True)
class Plan:
    """people: asked in the trial. train_s: for training. spent_s: before it; both in seconds."""

    people: int
    train_s: float
    spent_s: float


def planned(
    seconds: float, spent_s: float, rehearsal: Rehearsal, *, people: int, fewest: int
) -> Plan:
    """seconds: for everything. people: who can be asked; fewer are where that would take more
    than a quarter of the time, but never fewer than `fewest`.

    Raises: FailedPrecondition where less than a third of the time is left for training.
    """
    asked = people
    if rehearsal.trial_s(people) > _TRIAL_SHARE * seconds:
        half_s = _TRIAL_SHARE * seconds / 2 - rehearsal.catalogue_s
        asked = min(people, max(fewest, int(half_s / rehearsal.person_s)))
    after_s = rehearsal.after_s(asked)
    train_s = seconds - spent_s - after_s
    if train_s < _TRAINING_SHARE * seconds:
        # With three times what cannot be less, the trial's share fits in as well.
        enough = math.ceil((spent_s + rehearsal.after_s(fewest)) / _TRAINING_SHARE / 60)
        raise FailedPrecondition(
            f"--minutes {seconds / 60:g} is too little: {spent_s:.0f} s went before training, "
            f"{after_s:.0f} s are for the trial and what follows, and training wants a third of "
            f"the time; --minutes {enough} is enough"
        )
    return Plan(asked, train_s, spent_s)
