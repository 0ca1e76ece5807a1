"""Items that this process stored lately, so that what follows need not read them again.

An item at a revision never changes: the two numbers stand for its content.
"""

import threading
from collections.abc import Iterable, Sequence

from services.item_embedding.catalogue import CatalogueItem

_LIMIT_BYTES = 32 * 1024 * 1024
# An item of the demo with its objects in Python; a number of an embedding.
_ITEM_BYTES = 4_000
_NUMBER_BYTES = 32


class RecentItems:
    """Safe from any thread. Bounded: what was stored first goes first."""

    def __init__(self, limit_bytes: int = _LIMIT_BYTES) -> None:
        """limit_bytes: 0 remembers nothing."""
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._items: dict[tuple[int, int], CatalogueItem] = {}
        self._lock = threading.Lock()

    def remember(self, items: Iterable[CatalogueItem]) -> None:
        """items: as they are in Postgres, committed."""
        with self._lock:
            for item in items:
                key = (item.ordinal, item.revision)
                if key not in self._items:
                    self._items[key] = item
                    self._bytes += _size(item)
            while self._bytes > self._limit_bytes:
                self._bytes -= _size(self._items.pop(next(iter(self._items))))

    def find(self, numbers: Sequence[tuple[int, int]]) -> dict[int, CatalogueItem]:
        """Those that are remembered, by ordinal. numbers: ordinals and revisions."""
        with self._lock:
            return {
                ordinal: item
                for ordinal, revision in numbers
                if (item := self._items.get((ordinal, revision))) is not None
            }


def _size(item: CatalogueItem) -> int:
    content = item.content
    return (
        _ITEM_BYTES
        + len(content.title)
        + len(content.description)
        + _NUMBER_BYTES * len(content.embedding)
    )
