"""A circuit breaker: while a service is away, its callers do not each wait for a deadline."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from headrace.errors import HeadraceError, InvalidInput, NotFound, Unavailable

T = TypeVar("T")


class CircuitOpen(Unavailable):
    """The calls before failed; this one was not made."""


class Circuit:
    """Opens after `failures` in a row, then lets one call through every `pause_s`.

    For the callers on one event loop. A caller's mistake is an answer, not a failure.

    callee: name of the service called, for errors. clock: seconds, monotonic.
    """

    def __init__(
        self,
        callee: str,
        failures: int = 3,
        pause_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._callee = callee
        self._limit = failures
        self._pause_s = pause_s
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Raises: CircuitOpen at once where the calls before failed, and whatever `call` does."""
        self._take_turn()
        try:
            answer = await call()
        except (InvalidInput, NotFound):
            self._failures = 0
            raise
        except HeadraceError:
            self._failures += 1
            self._next_try = self._clock() + self._pause_s
            raise
        self._failures = 0
        return answer

    def _take_turn(self) -> None:
        if self._failures < self._limit:
            return
        now = self._clock()
        if now < self._next_try:
            raise CircuitOpen(
                f"{self._callee} failed {self._failures} times in a row; try again in a second"
            )
        self._next_try = now + self._pause_s
