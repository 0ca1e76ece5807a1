"""What came of the lists that people got, person by person. Pure.

Whose model a person is says the hash, not the list: a canary's list that the live model had to make
counts for the canary, as everything does that choosing it brings about.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from headrace.contracts.events import EventType
from headrace.release.sequential import RatioSums
from headrace.release.shares import chosen

CLICK_WINDOW_S = 30 * 60.0
PURCHASE_WINDOW_S = 24 * 3600.0
K = 10
# Clocks of two processes differ.
_SKEW_S = 1.0
_INTEREST = frozenset({EventType.CLICK, EventType.CART, EventType.PURCHASE, EventType.LIKE})


class Served(NamedTuple):
    """A list that somebody got: items in order. served_at: Unix seconds."""

    user_id: str
    served_at: float
    items: tuple[str, ...]


class Act(NamedTuple):
    """What somebody did. at: Unix seconds."""

    user_id: str
    at: float
    item_id: str
    type: int


@dataclass
class Outcomes:
    """Of one model's people. Ratios by list: with a click, a purchase; NDCG of those clicked."""

    click_through: RatioSums = field(default_factory=RatioSums)
    conversion: RatioSums = field(default_factory=RatioSums)
    ndcg: RatioSums = field(default_factory=RatioSums)
    lists: int = 0

    @property
    def people(self) -> int:
        return self.click_through.people


class Compared(NamedTuple):
    live: Outcomes
    candidate: Outcomes


def compare(served: Iterable[Served], acts: Iterable[Act], salt: str, share: float) -> Compared:
    """An act counts for the last list before it that showed the item, within the windows above."""
    lists: defaultdict[str, list[Served]] = defaultdict(list)
    for one in served:
        if one.items:
            lists[one.user_id].append(one)
    done: defaultdict[str, list[Act]] = defaultdict(list)
    for act in acts:
        if act.user_id in lists:
            done[act.user_id].append(act)
    compared = Compared(Outcomes(), Outcomes())
    for user_id, theirs in lists.items():
        theirs.sort(key=lambda one: one.served_at)
        outcomes = compared.candidate if chosen(user_id, salt, share) else compared.live
        _add(outcomes, theirs, done[user_id])
    return compared


def _add(outcomes: Outcomes, lists: list[Served], acts: list[Act]) -> None:
    """One person's lists, in order of time."""
    clicked: defaultdict[int, set[int]] = defaultdict(set)  # positions, by place of the list
    bought: set[int] = set()
    times = [one.served_at for one in lists]
    for act in acts:
        if act.type not in _INTEREST:
            continue
        found = _shown(lists, times, act)
        if found is None:
            continue
        place, position = found
        age = act.at - times[place]
        if age <= CLICK_WINDOW_S:
            clicked[place].add(position)
        if act.type == EventType.PURCHASE and age <= PURCHASE_WINDOW_S:
            bought.add(place)
    outcomes.lists += len(lists)
    outcomes.click_through.add(len(clicked), len(lists))
    outcomes.conversion.add(len(bought), len(lists))
    outcomes.ndcg.add(sum(ndcg(positions) for positions in clicked.values()), len(clicked))


def _shown(lists: list[Served], times: list[float], act: Act) -> tuple[int, int] | None:
    """The last list before the act that has its item, and the item's position from 1."""
    last = bisect_left(times, act.at + _SKEW_S)
    for place in range(last - 1, -1, -1):
        if act.at - times[place] > PURCHASE_WINDOW_S:
            return None
        if act.item_id in lists[place].items:
            return place, lists[place].items.index(act.item_id) + 1
    return None


def ndcg(positions: set[int]) -> float:
    """Of a list whose items at these positions, from 1, were clicked: NDCG@10 with gains of 1."""
    gained = sum(1 / math.log2(position + 1) for position in positions if position <= K)
    best = sum(1 / math.log2(position + 1) for position in range(1, min(len(positions), K) + 1))
    return gained / best
