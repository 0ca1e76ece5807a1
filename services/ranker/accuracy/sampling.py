"""Which clicks are scored, so that many cost no more than few.

A click is taken if the hash of its id lies below a share, and counts 1 / share: the sums are then
those of all clicks in expectation, whatever the share is (Horvitz and Thompson 1952,
https://doi.org/10.1080/01621459.1952.10483446), since the share never depends on the click itself.
"""

import time
from collections.abc import Callable
from hashlib import blake2b

_PERIOD_S = 10.0


class Budget:
    """A share that follows the rate of clicks, so that about `per_s` of them are taken."""

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._clock = clock
        self._began = clock()
        self._seen = 0
        self.share = 1.0

    def weight(self, event_id: str) -> float:
        """How many clicks this one stands for; 0: it is not taken."""
        now = self._clock()
        passed = now - self._began
        if passed >= _PERIOD_S:
            rate = self._seen / passed
            self.share = min(1.0, self._per_s / rate) if rate else 1.0
            self._began, self._seen = now, 0
        self._seen += 1
        return 1 / self.share if place(event_id) < self.share else 0.0


class Panel:
    """The people who are looked at: a fixed share, by the hash of their id."""

    def __init__(self, share: float) -> None:
        self._share = share

    def has(self, user_id: str) -> bool:
        return self._share >= 1 or place(f"panel {user_id}") < self._share


def place(name: str) -> float:
    """Where a name falls between 0 and 1, always the same and evenly over all names."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2**64
