"""The newest training events, kept from the towers: the head learns on them as on new ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.training.model import Model
from headrace.training.split import Part


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
