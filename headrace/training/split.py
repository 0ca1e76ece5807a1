"""What is trained on and what is kept for measuring."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headrace.evaluation.protocol import Questions
from headrace.training.log import EventLog

Holdout = Literal["leave-one-out", "none"]

# A person needs one event to start from, besides those held out.
_MIN_EVENTS = 3


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
    """`train_ends` [U]: each person's training events end there. `digest` names the split."""

    train_ends: NDArray[np.int64]
    validation: Part
    test: Part
    digest: str

    def training_events(self, log: EventLog) -> NDArray[np.bool_]:
        """Marks the events of the training part: [E]."""
        owner = np.repeat(np.arange(log.users), np.diff(log.offsets))
        marked: NDArray[np.bool_] = np.arange(len(log.items)) < self.train_ends[owner]
        return marked


def split(log: EventLog, holdout: Holdout) -> Split:
    """Hold out events at the end of each person's history.

    `leave-one-out`: the last one for the test, the one before it for validation. `none`: nothing
    for a test; the last one still chooses among weights, and is not in the loss. People with
    fewer than three events are trained on whole.
    """
    ends = log.offsets[1:]
    enough = np.flatnonzero(np.diff(log.offsets) >= _MIN_EVENTS)
    nobody = np.zeros(0, dtype=np.int64)
    if holdout == "leave-one-out":
        test = Part(enough, ends[enough] - 1)
        validation = Part(enough, ends[enough] - 2)
    else:
        test = Part(nobody, nobody)
        validation = Part(enough, ends[enough] - 1)
    train_ends = ends.copy()
    train_ends[enough] = validation.positions
    return Split(train_ends, validation, test, _digest(log, validation, test))


def _digest(log: EventLog, *parts: Part) -> str:
    """Of who and what is held out: an unstable sort shows at once."""
    digest = hashlib.sha256()
    for part in parts:
        for user, position in zip(part.users, part.positions, strict=True):
            item = log.catalogue[log.items[position]].item_id
            digest.update(f"{log.user_ids[user]}\x1f{item}\x1e".encode())
        digest.update(b"\x1d")
    return digest.hexdigest()
