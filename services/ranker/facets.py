"""What filters read of items: labels as sets of ordinals, numbers as sorted columns.

One thread writes, any number evaluate filters.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.contracts.categories import with_ancestors
from headrace.contracts.filters import Condition, NumberRange, PriceRange
from headrace.index.rows import as_bitmap
from headrace.index.table import Ordinals

_IN_STOCK = "in_stock"

_Label = tuple[str, str]
"""Kind and value. Not a class: each item has some, and a name costs ten times a pair."""


@dataclass(frozen=True, slots=True)
class Facets:
    """What may be asked of an item. price: amount and currency. categories: as its owner named
    them, without those above them in the tree."""

    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    price: tuple[int, str] | None = None
    availability: str = _IN_STOCK

    def labels(self) -> set[_Label]:
        """What the item is a member of; categories bring those above them."""
        return {
            *(("category", path) for path in with_ancestors(self.categories)),
            *(("named", path) for path in self.categories),
            *(("tag", tag) for tag in self.tags),
            *((f"text {name}", text) for name, text in self.texts.items()),
            ("availability", self.availability),
        }

    def values(self) -> Iterator[tuple[_Label, float]]:
        for name, number in self.numbers.items():
            yield ("number", name), number
        if self.price is not None:
            amount, currency = self.price
            yield ("price", currency), float(amount)  # exact up to 2^53, above 10^15


class Replaced(NamedTuple):
    """An item whose facets change. None: it is not shown, before or from now on."""

    ordinal: int
    before: Facets | None
    after: Facets | None


class _Column(NamedTuple):
    """Immutable. ordinals [M], ascending; values [M]."""

    ordinals: Ordinals
    values: NDArray[np.float64]

    def changed(self, gone: BitMap, come: Mapping[int, float]) -> "_Column":
        """Without `gone`, with `come`, which is part of `gone`."""
        kept = ~np.isin(self.ordinals, np.fromiter(gone, dtype=np.int64, count=len(gone)))
        ordinals = np.concatenate([self.ordinals[kept], np.fromiter(come, dtype=np.int64)])
        values = np.concatenate([self.values[kept], np.fromiter(come.values(), dtype=np.float64)])
        order = np.argsort(ordinals, kind="stable")
        return _Column(ordinals[order], values[order])

    def within(self, bounds: PriceRange | NumberRange) -> BitMap:
        inside = np.ones(len(self.values), dtype=np.bool_)
        for name, compare in _COMPARISONS.items():
            bound = getattr(bounds, name, None)
            if bound is not None:
                inside &= compare(self.values, bound)
        return as_bitmap(self.ordinals[inside])


_COMPARISONS: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "gt": np.greater,
    "gte": np.greater_equal,
    "lt": np.less,
    "lte": np.less_equal,
    "eq": np.equal,
}
_NO_COLUMN = _Column(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float64))


class FacetIndex:
    """Which items pass a condition. `version` grows whenever an answer may have changed."""

    def __init__(self) -> None:
        self.version = 0
        self._lock = threading.Lock()
        self._all = BitMap()
        self._members: dict[_Label, BitMap] = {}
        self._columns: dict[_Label, _Column] = {}

    def replace(self, items: Sequence[Replaced]) -> None:
        """All of them at once; ordinals are different."""
        columns = self._changed_columns(items)
        gone = _by_label((item.ordinal, item.before) for item in items)
        come = _by_label((item.ordinal, item.after) for item in items)
        with self._lock:
            for label, ordinals in gone.items():
                self._leave(label, ordinals)
            for label, ordinals in come.items():
                self._members.setdefault(label, BitMap()).update(ordinals)
            self._all -= BitMap(item.ordinal for item in items)
            self._all |= BitMap(item.ordinal for item in items if item.after is not None)
            for label, column in columns.items():
                if len(column.ordinals):
                    self._columns[label] = column
                else:
                    self._columns.pop(label, None)
            self.version += 1

    def matching(self, condition: Condition) -> tuple[int, BitMap]:
        """The version that was asked, and the items that pass."""
        with self._lock:
            return self.version, self._matching(condition)

    def in_category(self, path: str) -> BitMap:
        """The items in a category or below it."""
        with self._lock:
            return BitMap(self._members.get(("category", path), _NONE))

    def named(self, path: str) -> BitMap:
        """The items that name a category itself, not those below it alone."""
        with self._lock:
            return BitMap(self._members.get(("named", path), _NONE))

    def _matching(self, condition: Condition) -> BitMap:
        if condition.all is not None:
            return BitMap.intersection(*map(self._matching, condition.all))
        if condition.any is not None:
            return BitMap.union(*map(self._matching, condition.any))
        if condition.none is not None:
            return self._all - BitMap.union(*map(self._matching, condition.none))
        if condition.price is not None:
            return self._within(("price", condition.price.currency), condition.price)
        if condition.number is not None:
            return self._within(("number", condition.number.name), condition.number)
        sets = [self._members.get(label, _NONE) for label in _labels(condition)]
        return BitMap.union(*sets)

    def _within(self, label: _Label, bounds: PriceRange | NumberRange) -> BitMap:
        return self._columns.get(label, _NO_COLUMN).within(bounds)

    def _changed_columns(self, items: Sequence[Replaced]) -> dict[_Label, _Column]:
        gone: defaultdict[_Label, BitMap] = defaultdict(BitMap)
        come: defaultdict[_Label, dict[int, float]] = defaultdict(dict)
        for item in items:
            for label, _ in () if item.before is None else item.before.values():
                gone[label].add(item.ordinal)
            for label, value in () if item.after is None else item.after.values():
                come[label][item.ordinal] = value
        return {
            label: self._columns.get(label, _NO_COLUMN).changed(gone[label], come[label])
            for label in gone.keys() | come.keys()
        }

    def _leave(self, label: _Label, ordinals: Sequence[int]) -> None:
        members = self._members[label]
        members.difference_update(BitMap(ordinals))
        if not members:
            del self._members[label]


def _by_label(items: Iterable[tuple[int, Facets | None]]) -> dict[_Label, list[int]]:
    found: defaultdict[_Label, list[int]] = defaultdict(list)
    for ordinal, facets in items:
        if facets is not None:
            for label in facets.labels():
                found[label].append(ordinal)
    return found


_NONE = BitMap()


def _labels(condition: Condition) -> Iterator[_Label]:
    if condition.text is not None:
        yield from ((f"text {condition.text.name}", one) for one in condition.text.one_of)
    for kind in ("category", "tag", "availability"):
        one = getattr(condition, kind)
        if one is not None:
            yield from ((kind, value) for value in one.one_of)
