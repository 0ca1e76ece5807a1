"""What is trained on and what is kept for measuring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataInvalid
from headrace.evaluation.protocol import Questions
from headrace.training.log import EventLog
from headrace.training.preparation.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    SplitDigest,
    last_one,
    last_two,
)

Holdout = Literal["leave-one-out", "none", "prepared"]


@dataclass(frozen=True)
class Part:
    """Q held-out events: whose they are, and their position in the log. Shapes: both [Q]."""

    users: NDArray[np.int64]
    positions: NDArray[np.int64]

    def questions(self, log: EventLog) -> Questions:
        """Each event as a question, with all that its person did before."""
        starts = log.offsets[self.users]
        return Questions(
            [log.history(s, p) for s, p in zip(starts, self.positions, strict=True)],
            log.items[self.positions],
        )


@dataclass(frozen=True)
class Split:
    """`train_ends` [U]: each person's training events end there. `digest` names the split.

    `validation` and `test` ask each person about one event, the first that is held out: what
    comes next. `held_out` has all of them by these names, for what is asked of any event.
    """

    train_ends: NDArray[np.int64]
    validation: Part
    test: Part
    held_out: Mapping[str, Part]
    digest: str

    def training_events(self, log: EventLog) -> NDArray[np.bool_]:
        """Marks the events of the training part: [E]."""
        return marked_before(log, self.train_ends)

    def ends_before(self, log: EventLog, newest: int) -> NDArray[np.int64]:
        """Where training ends without so many of the newest events of each person: [U].

        Short histories stay whole.
        """
        lengths = self.train_ends - log.offsets[:-1]
        ends: NDArray[np.int64] = self.train_ends - np.minimum(newest, lengths // 10)
        return ends


def marked_before(log: EventLog, ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Marks each person's events before their end. Shapes: ends [U] -> [E]."""
    owner = np.repeat(np.arange(log.users), np.diff(log.offsets))
    marked: NDArray[np.bool_] = np.arange(len(log.items)) < ends[owner]
    return marked


def split(log: EventLog, holdout: Holdout) -> Split:
    """Hold out events at the end of each person's history.

    `leave-one-out`: the last one for the test, the one before it for validation. `none`: nothing
    for a test; the last one still chooses among weights, and is not in the loss. People with
    fewer than three events are trained on whole. `prepared`: what preparation held out; people
    who have nothing before a held-out event are not asked about it.

    Raises:
        DataInvalid: `prepared` is asked for, and the log does not come from prepared files.
    """
    lengths = np.diff(log.offsets)
    if holdout == "leave-one-out":
        parts = last_two(lengths)
    elif holdout == "none":
        parts = last_one(lengths)
    elif log.parts is not None:
        parts = log.parts
    else:
        raise DataInvalid("holdout `prepared` needs prepared interactions")
    owners = np.repeat(np.arange(log.users), lengths)
    learned = np.bincount(owners[parts == TRAIN], minlength=log.users)
    digest = SplitDigest()
    for part in (VALIDATION, TEST):
        here = parts == part
        digest.add(
            part,
            log.user_ids[owners[here]],
            [log.catalogue[column].item_id for column in log.items[here]],
        )
    held_out = {
        "validation": _part(log, owners, parts == VALIDATION),
        "test": _part(log, owners, parts == TEST),
    }
    return Split(
        log.offsets[:-1] + learned,
        _first_each(held_out["validation"]),
        _first_each(held_out["test"]),
        held_out,
        digest.hexdigest(),
    )


def is_cold(log: EventLog, parts: NDArray[np.int8]) -> bool:
    """Whether nothing of the test part is known to training but its description."""
    test = log.items[parts == TEST]
    return len(test) > 0 and not np.isin(test, log.items[parts != TEST]).any()


def _first_each(part: Part) -> Part:
    """One event of each person."""
    _, first = np.unique(part.users, return_index=True)
    return Part(part.users[first], part.positions[first])


def _part(log: EventLog, owners: NDArray[np.int64], held_out: NDArray[np.bool_]) -> Part:
    positions = np.flatnonzero(held_out)
    positions = positions[positions > log.offsets[owners[positions]]]
    return Part(owners[positions], positions)
