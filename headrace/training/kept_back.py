"""The newest training events, kept from the towers: the head learns on them as on new ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.training.model import Model
from headrace.training.split import Part

# So many of the head's lists are made where so many of the items are new. Without them the head
# takes what it has no counts of for what nobody wants (measured: docs/cold-items.md).
_LISTS_WITH_NEW = 0.25
_NEW_ITEMS = 0.25


class Lesson(NamedTuple):
    """Events for the head to learn from, and the model that they are new to."""

    model: Model
    part: Part


def head_lessons(model: Model) -> list[Lesson]:
    """Most events in the catalogue as it is, the others where a part of it has no history."""
    part = head_part(model)
    random = np.random.default_rng([model.settings.seed, len(part.users)])
    with_new = random.random(len(part.users)) < _LISTS_WITH_NEW
    new = random.random(len(model.counts)) < _NEW_ITEMS
    return [
        Lesson(model, Part(part.users[~with_new], part.positions[~with_new])),
        Lesson(model.as_new(new), Part(part.users[with_new], part.positions[with_new])),
    ]


def learning_ends(model: Model) -> NDArray[np.int64]:
    """Where the towers stop learning in each history: [U].

    Short histories give nothing to the head: the towers need them whole.
    """
    return model.split.ends_before(model.log, model.settings.head_events)


def head_part(model: Model) -> Part:
    """The events beyond those ends, at most `head_lists`."""
    ends = learning_ends(model)
    kept = model.split.train_ends - ends
    users = np.repeat(np.arange(model.log.users), kept)
    first = np.cumsum(kept) - kept
    positions = ends[users] + np.arange(len(users)) - first[users]
    chosen = np.random.default_rng(model.settings.seed).permutation(len(users))
    chosen = np.sort(chosen[: model.settings.head_lists])
    return Part(users[chosen], positions[chosen])
