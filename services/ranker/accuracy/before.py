"""People's vectors as they stood a moment ago.

A click is judged by the list that the vector before it makes. By the time that it is read, the
cache may hold the vector after it: the two come through different topics. So each vector is kept
for some seconds after the next one came.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Literal, NamedTuple

from services.ranker.users import UserVector

# Longer than a click waits to be scored; user_embedding's vector may come seconds before it.
_KEPT_S = 10.0
_VERSIONS = 16

Missing = Literal["unremembered", "between", "not_yet"]
"""Why there is no vector: none so old is held, one update took several events, it has not come."""


class _Held(NamedTuple):
    vector: UserVector
    since: float


class Before:
    """The last vectors of each person, oldest first; the person least recently heard of goes first.

    Written by the reader of `user-vectors`, read by the scorer of clicks.
    """

    def __init__(
        self,
        max_bytes: int,
        wanted: Callable[[str], bool] = lambda _user_id: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """wanted: whose vectors are noted."""
        self._max_bytes = max_bytes
        self._wanted = wanted
        self._clock = clock
        self._lock = threading.Lock()
        self._people: OrderedDict[str, list[_Held]] = OrderedDict()
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def came(self, vector: UserVector, cached: UserVector | None) -> None:
        """Notes a vector. cached: the one that the cache held until now, in case none is known."""
        if not self._wanted(vector.user_id):
            return
        now = self._clock()
        with self._lock:
            held = self._people.pop(vector.user_id, [])
            self._bytes -= _size(held)
            if not held and cached is not None:
                held = [_Held(cached, now)]
            held = _current([*held, _Held(vector, now)], now)
            self._people[vector.user_id] = held
            self._bytes += _size(held)
            while self._bytes > self._max_bytes:
                _, gone = self._people.popitem(last=False)
                self._bytes -= _size(gone)

    def forget(self, people: Collection[str]) -> int:
        """Returns: how many of them it had vectors of."""
        with self._lock:
            gone = [self._people.pop(user_id, []) for user_id in people]
            self._bytes -= sum(map(_size, gone))
            return sum(map(bool, gone))

    def forget_everybody(self) -> None:
        with self._lock:
            self._people.clear()
            self._bytes = 0

    def at(self, user_id: str, version: tuple[int, int]) -> UserVector | Missing:
        """The person's vector at this version, or why there is none."""
        with self._lock:
            versions = [one.vector for one in self._people.get(user_id, ())]
        for vector in versions:
            if vector.version == version:
                return vector
        if not versions or version < versions[0].version:
            return "unremembered"
        return "not_yet" if version > versions[-1].version else "between"


def _current(held: list[_Held], now: float) -> list[_Held]:
    """Without what an erasure made invalid, what came again, and what was replaced long ago."""
    newest = max(held, key=lambda one: one.vector.version)
    epoch = newest.vector.epoch
    versions = {one.vector.version: one for one in held if one.vector.epoch == epoch}
    ordered = [versions[version] for version in sorted(versions)]
    # What came next replaced the one before it.
    kept = [one for one, successor in pairwise(ordered) if now - successor.since < _KEPT_S]
    return [*kept, ordered[-1]][-_VERSIONS:]


def _size(held: list[_Held]) -> int:
    return sum(one.vector.size_bytes for one in held)
