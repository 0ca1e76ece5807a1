"""Filters that were asked for of late, and which items pass them."""

import threading
from collections import OrderedDict

from pyroaring import BitMap

from headrace.contracts.filters import Condition
from services.ranker.facets import FacetIndex

# Each takes a bit an item at most: 3 MB in all with 100,000 items.
_KEPT = 256


class Filters:
    """Evaluates each filter once, until the catalogue changes. Safe from any thread."""

    def __init__(self, facets: FacetIndex, kept: int = _KEPT) -> None:
        self._facets = facets
        self._kept = kept
        self._lock = threading.Lock()
        self._known: OrderedDict[Condition, tuple[int, BitMap]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def matching(self, condition: Condition) -> BitMap:
        """The items that pass; not to be changed."""
        with self._lock:
            known = self._known.get(condition)
            if known is not None and known[0] == self._facets.version:
                self._known.move_to_end(condition)
                return known[1]
        found = self._facets.matching(condition)
        with self._lock:
            self._known[condition] = found
            self._known.move_to_end(condition)
            if len(self._known) > self._kept:
                self._known.popitem(last=False)
        return found[1]
