"""People's vectors as the ranker keeps them: bounded by bytes, the least recently used go first.

Written by the reader of `user-vectors` in its thread and by fetches on the event loop.
"""

import asyncio
import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from pyroaring import BitMap

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals

# Python objects and dictionary entries of one person, apart from what varies.
_FIXED_BYTES = 700
_EVENT_ID_BYTES = 80


@dataclass(frozen=True, slots=True)
class UserVector:
    """A person's vector and what a list needs to know about the person.

    vector: [D]; None where nothing was done yet. recent: [R] ordinals, oldest first. Times are Unix
    seconds; `last_accepted_at` is None for imports. `seen_bytes`: size of `seen` and `unwanted` as
    they came.
    """

    user_id: str
    epoch: int
    n: int
    vector: Vector | None
    recent: Ordinals
    seen: BitMap
    seen_bytes: int
    event_ids: tuple[str, ...]
    last_occurred_at: float | None
    last_accepted_at: float | None
    unwanted: BitMap = field(default_factory=BitMap)
    unwanted_categories: tuple[str, ...] = ()

    @property
    def version(self) -> tuple[int, int]:
        """Of two vectors of a person the greater wins."""
        return self.epoch, self.n

    @property
    def size_bytes(self) -> int:
        vector = 0 if self.vector is None else self.vector.nbytes
        varying = vector + self.recent.nbytes + self.seen_bytes
        names = sum(map(len, self.unwanted_categories))
        return _FIXED_BYTES + varying + names + _EVENT_ID_BYTES * len(self.event_ids)


def nobody(user_id: str) -> UserVector:
    """Somebody of whom nothing is known."""
    nothing = np.zeros(0, dtype=np.int64)
    return UserVector(user_id, 0, 0, None, nothing, BitMap(), 0, (), None, None)


class UserCache:
    """Keeps updates of people who are cached or expected, and wakes who waits for them."""

    def __init__(self, max_bytes: int, loop: asyncio.AbstractEventLoop) -> None:
        self.max_bytes = max_bytes
        self._loop = loop
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, UserVector] = OrderedDict()
        self._bytes = 0
        self._expected: Counter[str] = Counter()
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def get(self, user_id: str) -> UserVector | None:
        with self._lock:
            vector = self._vectors.get(user_id)
            if vector is not None:
                self._vectors.move_to_end(user_id)
            return vector

    def peek(self, user_id: str) -> UserVector | None:
        """As `get`, for somebody who does not serve the person."""
        with self._lock:
            return self._vectors.get(user_id)

    def known(self) -> list[UserVector]:
        """Everybody who is cached, at this moment."""
        with self._lock:
            return list(self._vectors.values())

    def offer(self, vector: UserVector) -> UserVector:
        """Caches a vector that was fetched; returns it, or a newer one that came meanwhile."""
        with self._lock:
            return self._keep(vector)

    def update(self, vectors: Sequence[UserVector]) -> None:
        """Takes what was published; people who are neither cached nor expected are passed over."""
        woken: list[asyncio.Future[None]] = []
        with self._lock:
            for vector in vectors:
                user_id = vector.user_id
                if user_id not in self._vectors and user_id not in self._expected:
                    continue
                if self._keep(vector) is vector:
                    woken.extend(self._waiting.get(user_id, ()))
        if woken:
            self._loop.call_soon_threadsafe(_wake, woken)

    def forget(self, people: Collection[str]) -> int:
        """Returns: how many of them were cached."""
        with self._lock:
            gone = [self._vectors.pop(user_id, None) for user_id in people]
            self._bytes -= sum(one.size_bytes for one in gone if one is not None)
            return sum(one is not None for one in gone)

    def forget_everybody(self) -> None:
        with self._lock:
            self._vectors.clear()
            self._bytes = 0

    @contextmanager
    def expecting(self, user_id: str) -> Iterator[None]:
        """Meanwhile updates of this person are kept. Enter it before fetching the vector, so that
        none is missed between the fetch and its answer."""
        with self._lock:
            self._expected[user_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._expected[user_id] -= 1
                if not self._expected[user_id]:
                    del self._expected[user_id]

    async def until(
        self, user_id: str, holds: Callable[[UserVector], bool], timeout_s: float
    ) -> UserVector | None:
        """Waits until the person's vector fulfils `holds`; returns it as it is at the end."""
        try:
            with self.expecting(user_id):
                async with asyncio.timeout(timeout_s):
                    while True:
                        with self._notice(user_id) as changed:
                            vector = self.get(user_id)
                            if vector is not None and holds(vector):
                                return vector
                            await changed
        except TimeoutError:
            return self.get(user_id)

    @contextmanager
    def _notice(self, user_id: str) -> Iterator["asyncio.Future[None]"]:
        changed = self._loop.create_future()
        with self._lock:
            self._waiting[user_id].add(changed)
        try:
            yield changed
        finally:
            with self._lock:
                self._waiting[user_id].discard(changed)
                if not self._waiting[user_id]:
                    del self._waiting[user_id]

    def _keep(self, vector: UserVector) -> UserVector:
        known = self._vectors.get(vector.user_id)
        if known is not None:
            if known.version >= vector.version:
                return known
            self._bytes -= known.size_bytes
        self._vectors[vector.user_id] = vector
        self._vectors.move_to_end(vector.user_id)
        self._bytes += vector.size_bytes
        while self._bytes > self.max_bytes:
            _, evicted = self._vectors.popitem(last=False)
            self._bytes -= evicted.size_bytes
        return vector


def _wake(waiting: Sequence["asyncio.Future[None]"]) -> None:
    for changed in waiting:
        if not changed.done():
            changed.set_result(None)
