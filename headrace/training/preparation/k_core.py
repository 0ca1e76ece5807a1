"""The k-core: people and items with enough events among those that have enough events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.training.preparation import survivors
from headrace.training.preparation.survivors import KEPT, Survivors


@dataclass(frozen=True)
class Core:
    """`rounds` over the data until nothing more went."""

    users: int
    items: int
    rounds: int


def keep_core(kept: Survivors, min_user_events: int, min_item_events: int) -> Core:
    """Mark people and items below the minima until none is left; each round is one pass."""
    users = items = rounds = 0
    while True:
        rounds += 1
        gone_users = 0
        counts = np.zeros(len(kept.items), dtype=np.int64)
        for number, owners, touched in kept.events():
            own = np.bincount(owners, minlength=len(kept.users[number]))
            few = (own < min_user_events) & (kept.users[number] == KEPT)
            kept.users[number][few] = survivors.K_CORE
            gone_users += int(few.sum())
            counts += np.bincount(touched[~few[owners]], minlength=len(kept.items))
        rare = (counts < min_item_events) & (kept.items == KEPT)
        kept.items[rare] = survivors.K_CORE
        users += gone_users
        items += int(rare.sum())
        if not gone_users and not rare.any():
            return Core(users, items, rounds)
