"""A circuit breaker: while a dependency is down, its callers do not each wait for a deadline."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from headrace.errors import Unavailable

T = TypeVar("T")


class Circuit:
    """After `failures` in a row it refuses calls; every `retry_s` one call tries again.

    Of one event loop.
    """

    def __init__(
        self,
        callee: str,
        failures: int = 3,
        retry_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._callee = callee
        self._limit = failures
        self._retry_s = retry_s
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Raises: Unavailable, at once where the calls before failed, and whatever `call` does."""
        if self._failures >= self._limit:
            now = self._clock()
            if now < self._next_try:
                raise Unavailable(f"{self._callee} failed {self._failures} times in a row")
            self._next_try = now + self._retry_s
        try:
            answer = await call()
        except Unavailable:
            self._failures += 1
            if self._failures == self._limit:
                self._next_try = self._clock() + self._retry_s
            raise
        self._failures = 0
        return answer
