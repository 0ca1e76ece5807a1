"""Items deleted through this gateway a moment ago.

The ranker hears of a deletion through Kafka. Until then its lists may hold the item; the lists of
this gateway must not.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from services.gateway.lists import ListedItem

_LIMIT = 10_000


class Tombstones:
    """Item ids, each for `seconds`; the oldest make room beyond a limit.

    clock: seconds, monotonic.
    """

    def __init__(self, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, item_id: str) -> None:
        self._until.pop(item_id, None)
        self._until[item_id] = self._clock() + self._seconds
        if len(self._until) > _LIMIT:
            self._until.popitem(last=False)

    def remove(self, item_id: str) -> None:
        """The item is there again."""
        self._until.pop(item_id, None)

    def present(self) -> tuple[str, ...]:
        """The ids that count now, newest first."""
        now = self._clock()
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
        return tuple(reversed(self._until))

    def without(self, items: tuple[ListedItem, ...]) -> tuple[ListedItem, ...]:
        """`items` less those that are deleted."""
        if not self.present():
            return items
        return tuple(item for item in items if item.item_id not in self._until)
