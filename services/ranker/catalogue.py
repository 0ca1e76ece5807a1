"""The items in memory: what they are called, what filters them, and where their vectors lie.

One thread applies changes; any number of requests read. A request takes `view` once and sees one
state of the filters.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.bundle.content import ItemContent
from headrace.index.encoding import Vector
from headrace.index.rows import as_array
from headrace.index.table import Ordinals, VectorTable
from headrace.index.vector_index import VectorIndex


class ContentFacts(Protocol):
    """What a model bundle knows about items."""

    def popularity(self, item_id: str) -> float: ...

    def categories(self, items: Sequence[ItemContent]) -> NDArray[np.uint8]:
        """Returns: [N, C]."""

    def attributes(self, items: Sequence[ItemContent]) -> Vector:
        """Returns: [N, M]."""


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """An item at one revision. vector: [D]."""

    content: ItemContent
    ordinal: int
    revision: int
    deleted: bool
    vector: Vector
    bias: float


class Facts(NamedTuple):
    """What the head is told about items: vectors [K, D], popularity [K], categories [K, C],
    attributes [K, M]; present [K] is false where the catalogue has no such ordinal."""

    vectors: Vector
    popularity: Vector
    categories: Vector
    attributes: Vector
    present: NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """Immutable: the ordinals that may be shown, in all and by category."""

    live: BitMap = field(default_factory=BitMap)
    by_category: Mapping[str, BitMap] = field(default_factory=dict)

    def of(self, category: str | None) -> BitMap:
        """Those of a category; None: all. An unknown category has none."""
        return self.live if category is None else self.by_category.get(category, _NONE)


_NONE = BitMap()


class Catalogue:
    """Items by ordinal. `retrieval` holds [v, bias] of what is live, `similar` unit vectors."""

    def __init__(
        self, width: int, content: ContentFacts, retrieval: VectorIndex, similar: VectorIndex
    ) -> None:
        self.view = View()
        self._content = content
        self._retrieval = retrieval
        self._similar = similar
        self._items: dict[int, ItemVersion] = {}
        self._ordinals: dict[str, int] = {}
        self._vectors = VectorTable(width)
        self._popularity = VectorTable(1)
        self._categories = VectorTable(content.categories([]).shape[1])
        self._attributes = VectorTable(content.attributes([]).shape[1])

    def apply(self, changes: Sequence[ItemVersion]) -> None:
        """Takes changes in order; a revision that is not newer than the known one is passed over.

        An item is hidden from the moment the view is replaced, and shown only once everything
        about it can be found.
        """
        newest = self._newer(changes)
        if not newest:
            return
        self._remember(newest)
        shown = [item for item in newest if not item.deleted]
        if shown:
            ordinals = _ordinals(shown)
            vectors = np.stack([item.vector for item in shown])
            biases = np.array([[item.bias] for item in shown], dtype=np.float32)
            self._retrieval.upsert(ordinals, np.concatenate([vectors, biases], axis=1))
            self._similar.upsert(ordinals, unit(vectors))
        self.view = self._replaced(newest)
        hidden = _ordinals(item for item in newest if item.deleted)
        self._items.update((item.ordinal, item) for item in newest)
        if len(hidden):
            self._retrieval.remove(hidden)
            self._similar.remove(hidden)

    def item(self, ordinal: int) -> ItemVersion:
        return self._items[ordinal]

    def ordinal(self, item_id: str) -> int | None:
        """None: unknown or hidden."""
        ordinal = self._ordinals.get(item_id)
        return ordinal if ordinal is not None and ordinal in self.view.live else None

    def ordinals(self, item_ids: Iterable[str]) -> list[int]:
        """Of those known, hidden ones included, in order."""
        known = (self._ordinals.get(item_id) for item_id in item_ids)
        return [ordinal for ordinal in known if ordinal is not None]

    def facts(self, ordinals: Ordinals) -> Facts:
        """ordinals: [K]."""
        vectors, present = self._vectors.get(ordinals)
        return Facts(
            vectors,
            self._popularity.get(ordinals)[0][:, 0],
            self._categories.get(ordinals)[0],
            self._attributes.get(ordinals)[0],
            present,
        )

    def popular(self, among: BitMap, n: int) -> tuple[Ordinals, Vector]:
        """The n most popular, most popular first: ordinals and popularity, both [n] at most."""
        ordinals = as_array(among)
        popularity = self._popularity.get(ordinals)[0][:, 0]
        if len(ordinals) > n:
            chosen = np.argpartition(-popularity, n - 1)[:n]
            ordinals, popularity = ordinals[chosen], popularity[chosen]
        order = np.argsort(-popularity, kind="stable")
        return ordinals[order], popularity[order]

    def _newer(self, changes: Sequence[ItemVersion]) -> list[ItemVersion]:
        newest: dict[int, ItemVersion] = {}
        for item in changes:
            known = newest.get(item.ordinal) or self._items.get(item.ordinal)
            if known is None or known.revision < item.revision:
                newest[item.ordinal] = item
        return list(newest.values())

    def _remember(self, items: Sequence[ItemVersion]) -> None:
        ordinals = _ordinals(items)
        contents = [item.content for item in items]
        popularity = [[self._content.popularity(content.item_id)] for content in contents]
        self._popularity.put(ordinals, np.array(popularity, dtype=np.float32))
        self._categories.put(ordinals, self._content.categories(contents).astype(np.float32))
        self._attributes.put(ordinals, self._content.attributes(contents))
        self._vectors.put(ordinals, np.stack([item.vector for item in items]))
        for item in items:
            self._items.setdefault(item.ordinal, item)
            self._ordinals[item.content.item_id] = item.ordinal

    def _replaced(self, items: Sequence[ItemVersion]) -> View:
        gone: defaultdict[str, BitMap] = defaultdict(BitMap)
        come: defaultdict[str, BitMap] = defaultdict(BitMap)
        for item in items:
            for category in self._items[item.ordinal].content.categories:
                gone[category].add(item.ordinal)
            for category in () if item.deleted else item.content.categories:
                come[category].add(item.ordinal)
        by_category = dict(self.view.by_category)
        for category in gone.keys() | come.keys():
            before = by_category.get(category, _NONE)
            by_category[category] = (before - gone[category]) | come[category]
        live = self.view.live - BitMap(item.ordinal for item in items)
        live |= BitMap(item.ordinal for item in items if not item.deleted)
        return View(live, by_category)


def unit(vectors: Vector) -> Vector:
    """Each row divided by its length. [N, D]"""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vector = vectors / np.maximum(lengths, 1e-12)
    return scaled


def _ordinals(items: Iterable[ItemVersion]) -> Ordinals:
    return np.fromiter((item.ordinal for item in items), dtype=np.int64)
