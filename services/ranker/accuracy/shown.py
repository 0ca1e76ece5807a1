"""What came of what was shown: served lists joined with what people did after them."""

from __future__ import annotations  # an array names its kind for the type checker alone

import threading
from array import array
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client import Counter

from headrace.contracts.events import EventType
from services.ranker.accuracy import metrics
from services.ranker.accuracy.clicks import INTEREST, Click

# Clocks of two gateways differ.
_SKEW_S = 1.0
# Lists come half a second after they were served, and a click may be quicker.
SETTLED_S = 2.0
_WAITING_CLICKS = 10_000
LIST_OUTCOMES = ("remembered", "nobody", "not_sampled", "elsewhere", "forgotten")
CREDITS = ("shown", "not_shown", "too_many")


class ShownItem(NamedTuple):
    """An item at its position, from 1. chance: by the head; None where something else scored it."""

    ordinal: int
    position: int
    source: str
    chance: float | None


class ShownList(NamedTuple):
    """A list that somebody got. served_at: Unix seconds."""

    user_id: str
    served_at: float
    model_version: str
    items: Sequence[ShownItem]


@dataclass(slots=True, eq=False)
class _Cell:
    """The counters of a place in a list: one for each model, source and range of positions."""

    shown: Counter
    clicked: Counter
    bought: Counter


@dataclass(slots=True, eq=False)
class _Predictions:
    """The counters of a range of chances."""

    items: Counter
    chance: Counter
    clicks: Counter


_Counters = tuple[_Cell, _Predictions | None]


@dataclass(slots=True, eq=False)
class _Remembered:
    """A list in the window: the counters of each item, and which have had their click and purchase.

    Without an object an item, and with counters that all lists share: a list of 20 takes 0.8 kB.
    """

    user_id: str
    served_at: float
    ordinals: array[int]
    counters: tuple[_Counters, ...]
    credited: tuple[tuple[int, str], ...] = ()


class Shown:
    """Credits a click to the last list that showed the item, within a window; each place once.

    Bounded: of more lists than `max_lists` the oldest are forgotten and counted; a click after that
    finds no list. Lists come on one thread, clicks on another.
    """

    def __init__(self, window_s: float, max_lists: int) -> None:
        self._window_s = window_s
        self._max_lists = max_lists
        self._lock = threading.Lock()
        self._lists: deque[_Remembered] = deque()
        self._people: defaultdict[str, deque[_Remembered]] = defaultdict(deque)
        self._waiting: deque[tuple[float, Click]] = deque()
        self._models = metrics.ModelNames()
        self._cells: dict[tuple[str, str, str], _Cell] = {}
        self._counters: dict[tuple[str, str, str, int | None], _Counters] = {}
        self._predictions: dict[tuple[str, int], _Predictions] = {}
        # A counter takes longer to count one than a list takes to hold it.
        self._uncounted: defaultdict[_Counters, list[float | None]] = defaultdict(list)
        self._came = {outcome: metrics.LISTS.labels(outcome) for outcome in LIST_OUTCOMES}
        for outcome in CREDITS:
            metrics.CREDITS.labels(outcome)

    def __len__(self) -> int:
        return len(self._lists)

    def show(self, shown: ShownList) -> None:
        model = self._models.label(shown.model_version)
        counters = tuple(self._of_item(model, item) for item in shown.items)
        ordinals = array("I", [item.ordinal for item in shown.items])
        remembered = _Remembered(shown.user_id, shown.served_at, ordinals, counters)
        self._came["remembered"].inc()
        with self._lock:
            for item, counted in zip(shown.items, counters, strict=True):
                self._uncounted[counted].append(item.chance)
            self._lists.append(remembered)
            self._people[shown.user_id].append(remembered)
            while len(self._lists) > self._max_lists:
                self._came["forgotten"].inc()
                self._forget()

    def take(self, clicks: Sequence[Click], now: float) -> None:
        """Notes clicks; they are credited once lists served before them have come."""
        wanted = [one for one in clicks if one.type in INTEREST and not one.backfill]
        with self._lock:
            room = _WAITING_CLICKS - len(self._waiting)
            self._waiting.extend((now, click) for click in wanted[:room])
        metrics.CREDITS.labels("too_many").inc(max(0, len(wanted) - room))

    def settle(self, now: float) -> None:
        """Counts what was shown, and credits the clicks that came more than `SETTLED_S` ago.

        now: Unix seconds.
        """
        with self._lock:
            self._count()
            while self._waiting and self._waiting[0][0] <= now - SETTLED_S:
                _, click = self._waiting.popleft()
                metrics.CREDITS.labels(self._credited(click)).inc()
            oldest = now - SETTLED_S - self._window_s
            while self._lists and self._lists[0].served_at < oldest:
                self._forget()

    def forget(self, people: Collection[str]) -> int:
        """Forgets their lists and clicks. Returns: how many there were."""
        with self._lock:
            lists = [one for one in self._lists if one.user_id not in people]
            clicks = [one for one in self._waiting if one[1].user_id not in people]
            gone = len(self._lists) - len(lists) + len(self._waiting) - len(clicks)
            if gone:
                self._lists, self._waiting = deque(lists), deque(clicks)
                for user_id in people:
                    self._people.pop(user_id, None)
            return gone

    def forget_everybody(self) -> None:
        with self._lock:
            self._lists.clear()
            self._waiting.clear()
            self._people.clear()

    def _count(self) -> None:
        for (cell, predictions), chances in self._uncounted.items():
            cell.shown.inc(len(chances))
            if predictions is not None:
                predictions.items.inc(len(chances))
                predictions.chance.inc(sum(chance or 0.0 for chance in chances))
        self._uncounted.clear()

    def _credited(self, click: Click) -> str:
        """What became of the click."""
        outcomes = ["click"]
        if click.type == EventType.PURCHASE:
            outcomes.append("purchase")
        for remembered in reversed(self._people.get(click.user_id, ())):
            age = click.at - remembered.served_at
            if not -_SKEW_S <= age <= self._window_s or click.ordinal not in remembered.ordinals:
                continue
            place = remembered.ordinals.index(click.ordinal)
            cell, predictions = remembered.counters[place]
            for outcome in outcomes:
                if (place, outcome) in remembered.credited:
                    continue
                remembered.credited += ((place, outcome),)
                if outcome == "purchase":
                    cell.bought.inc()
                    continue
                cell.clicked.inc()
                if predictions is not None:
                    predictions.clicks.inc()
            return "shown"
        return "not_shown"

    def _forget(self) -> None:
        """The oldest list."""
        gone = self._lists.popleft()
        theirs = self._people[gone.user_id]
        theirs.popleft()  # its lists came in the same order
        if not theirs:
            del self._people[gone.user_id]

    def _of_item(self, model: str, item: ShownItem) -> _Counters:
        chance = None if item.chance is None else metrics.chance_range(item.chance)
        key = (model, item.source, metrics.POSITIONS.of(item.position), chance)
        found = self._counters.get(key)
        if found is None:
            predictions = None if chance is None else self._prediction(model, chance)
            found = self._counters[key] = (self._cell(*key[:3]), predictions)
        return found

    def _cell(self, model: str, source: str, position: str) -> _Cell:
        cell = self._cells.get((model, source, position))
        if cell is None:
            cell = _Cell(
                metrics.SHOWN.labels(model, source, position),
                metrics.OUTCOMES.labels(model, source, position, "click"),
                metrics.OUTCOMES.labels(model, source, position, "purchase"),
            )
            self._cells[model, source, position] = cell
        return cell

    def _prediction(self, model: str, place: int) -> _Predictions:
        found = self._predictions.get((model, place))
        if found is None:
            for at, greatest in enumerate(metrics.CHANCES):  # all, so that shares add up to 1
                labels = (model, str(greatest))
                self._predictions[model, at] = _Predictions(
                    metrics.PREDICTED_ITEMS.labels(*labels),
                    metrics.PREDICTED.labels(*labels),
                    metrics.PREDICTED_CLICKS.labels(*labels),
                )
            found = self._predictions[model, place]
        return found
