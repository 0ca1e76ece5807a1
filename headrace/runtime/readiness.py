"""Readiness: able to answer this request well now."""

import threading
from collections.abc import Callable


class Readiness:
    """Named conditions that must all hold. Cheap to ask; safe from any thread."""

    def __init__(self) -> None:
        self._conditions: dict[str, Callable[[], bool]] = {}
        self._stopping = threading.Event()

    def require(self, name: str, condition: Callable[[], bool]) -> None:
        """name: one word for what is missed: a service, a store, or what is read from a topic.

        `condition` must return at once: it looks at state that others keep current.
        """
        self._conditions[name] = condition

    def stopping(self) -> None:
        """From now on the process is not ready."""
        self._stopping.set()

    def missing(self) -> list[str]:
        """Names of the conditions that do not hold; empty: ready."""
        if self._stopping.is_set():
            return ["stopping"]
        return [name for name, holds in self._conditions.items() if not holds()]
