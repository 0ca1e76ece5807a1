"""Spending the time that was given."""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """A span of time that began when this object was made, or `spent` seconds earlier."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        spent: float = 0.0,
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._start = clock() - spent

    @property
    def elapsed(self) -> float:
        return self._clock() - self._start

    @property
    def left(self) -> float:
        return self.seconds - self.elapsed

    @property
    def share(self) -> float:
        """How much of the time is gone: 0 to 1."""
        return min(1.0, self.elapsed / self.seconds) if self.seconds > 0 else 1.0

    def part(self, seconds: float) -> Budget:
        """A budget for the next step, never longer than what is left."""
        return Budget(max(0.0, min(seconds, self.left)), self._clock)
