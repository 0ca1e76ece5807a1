"""When a candidate fails too often."""

from collections import deque


class FailureBound:
    """Exceeded once `failures` of the last `calls` failed."""

    def __init__(self, failures: int = 20, calls: int = 200) -> None:
        self._limit = failures
        self._last: deque[bool] = deque(maxlen=calls)

    def note(self, *, failed: bool) -> bool:
        """Returns: whether the bound is reached."""
        self._last.append(failed)
        return sum(self._last) >= self._limit
