"""People whose vectors are near, among those who are cached."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from headrace.index.encoding import Vector
from services.ranker.catalogue import unit
from services.ranker.users import UserCache, UserVector

# To gather 100,000 people of width 64 takes 0.1 s: at most 1 % of a core.
_OLD_AFTER_S = 10.0


class Near(NamedTuple):
    """cosine: -1 to 1."""

    person: UserVector
    cosine: float


class _Gathered(NamedTuple):
    """directions: [U, D], of length 1."""

    at: float
    people: Sequence[UserVector]
    directions: Vector


class Neighbours:
    """Compares with everybody who was cached some seconds ago. Safe from any thread."""

    def __init__(
        self, cache: UserCache, width: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """width: D, of the part of people's vectors that says what they like."""
        self._cache = cache
        self._width = width
        self._clock = clock
        self._lock = threading.Lock()
        self._gathered = self._nobody()

    def nearest(self, user_id: str, vector: Vector, k: int) -> list[Near]:
        """The k nearest other people, nearest first. vector: [D + T]."""
        _, people, directions = self._lately()
        if not people:
            return []
        cosines = directions @ unit(vector[None, : self._width])[0]
        indices = np.arange(len(cosines))
        if len(cosines) > k + 1:
            indices = np.argpartition(-cosines, k)[: k + 1]
        order = indices[np.argsort(-cosines[indices], kind="stable")]
        near = [Near(people[index], float(cosines[index])) for index in order.tolist()]
        return [one for one in near if one.person.user_id != user_id][:k]

    def forget(self) -> None:
        """Whoever was forgotten is in no list from now on: those who are cached are gathered anew
        by the next request."""
        with self._lock:
            self._gathered = self._nobody()

    def _nobody(self) -> _Gathered:
        return _Gathered(self._clock() - _OLD_AFTER_S, (), np.zeros((0, 1), dtype=np.float32))

    def _lately(self) -> _Gathered:
        """One request gathers, others wait for it."""
        with self._lock:
            if self._clock() - self._gathered.at >= _OLD_AFTER_S:
                people = [person for person in self._cache.known() if person.vector is not None]
                vectors = [one.vector[: self._width] for one in people if one.vector is not None]
                directions = unit(np.stack(vectors)) if vectors else self._gathered.directions[:0]
                self._gathered = _Gathered(self._clock(), people, directions)
            return self._gathered
