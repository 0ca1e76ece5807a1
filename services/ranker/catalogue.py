"""The items in memory: what they are called, what filters them, and where their vectors lie.

One thread applies changes; any number of requests read. A request takes `view` once and sees one
state of what may be shown.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.bundle.content import ItemContent
from headrace.index.encoding import Vector
from headrace.index.rows import as_array
from headrace.index.table import Ordinals, VectorTable
from headrace.index.vector_index import VectorIndex
from services.ranker.facets import FacetIndex, Facets, Replaced
from services.ranker.windows import Windows


class ContentFacts(Protocol):
    """What a model bundle knows about items."""

    def popularity(self, item_id: str) -> float: ...

    def rows(self, item_ids: Sequence[str]) -> NDArray[np.int64]:
        """Rows of the model's table, 0 for an item that training never saw. Returns: [N]."""

    def categories(self, items: Sequence[ItemContent]) -> NDArray[np.uint8]:
        """Returns: [N, C]."""

    def attributes(self, items: Sequence[ItemContent]) -> Vector:
        """Returns: [N, M]."""


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """An item at one revision. vector: [D]. Unless deleted, it is visible from `publish_at` until
    `expire_at`, Unix seconds."""

    content: ItemContent
    facets: Facets
    ordinal: int
    revision: int
    deleted: bool
    vector: Vector
    bias: float
    publish_at: float = -math.inf
    expire_at: float = math.inf
    picture_url: str = ""


class Facts(NamedTuple):
    """What the head is told about items: vectors [K, D], popularity [K], categories [K, C],
    attributes [K, M], rows of the model's table [K]; present [K] is false where the catalogue has
    no such ordinal."""

    vectors: Vector
    popularity: Vector
    categories: Vector
    attributes: Vector
    rows: NDArray[np.int64]
    present: NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """Immutable: the ordinals that may be shown now."""

    live: BitMap
    _facets: FacetIndex

    def of(self, category: str | None) -> BitMap:
        """Those in a category or below it; None: all. An unknown category has none."""
        return self.live if category is None else self.live & self._facets.in_category(category)


class Catalogue:
    """Items by ordinal. `retrieval` holds [v, bias] of what is not deleted, `similar` unit
    vectors."""

    def __init__(
        self,
        width: int,
        content: ContentFacts,
        retrieval: VectorIndex,
        similar: VectorIndex,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.width = width
        self.facets = FacetIndex()
        self._view = View(BitMap(), self.facets)
        self._windows = Windows()
        self._clock = clock
        self._lock = threading.Lock()
        self._content = content
        self._retrieval = retrieval
        self._similar = similar
        self._items: dict[int, ItemVersion] = {}
        self._ordinals: dict[str, int] = {}
        self._vectors = VectorTable(width)
        self._popularity = VectorTable(1)
        self._rows = VectorTable(1)  # float32 is exact up to the greatest ordinal
        self._categories = VectorTable(content.categories([]).shape[1])
        self._attributes = VectorTable(content.attributes([]).shape[1])

    @property
    def view(self) -> View:
        """What may be shown at this moment."""
        if self._clock() >= self._windows.next_change:
            with self._lock:
                due = self._windows.due(self._clock())
                self._show([self._items[ordinal] for ordinal in due])
        return self._view

    @property
    def known(self) -> BitMap:
        """Every ordinal, hidden ones included."""
        return BitMap(list(self._items))  # a copy: another thread may add to them

    def apply(self, changes: Sequence[ItemVersion]) -> None:
        """Takes changes in order; a revision that is not newer than the known one is passed over.

        An item is hidden from the moment the view is replaced, and shown only once everything
        about it can be found.
        """
        newest = self._newer(changes)
        if not newest:
            return
        replaced = [self._replaced(item) for item in newest]
        self._remember(newest)
        shown = [item for item in newest if not item.deleted]
        if shown:
            ordinals = _ordinals(shown)
            vectors = np.stack([item.vector for item in shown])
            biases = np.array([[item.bias] for item in shown], dtype=np.float32)
            self._retrieval.upsert(ordinals, np.concatenate([vectors, biases], axis=1))
            self._similar.upsert(ordinals, unit(vectors))
        self.facets.replace(replaced)
        with self._lock:
            self._items.update((item.ordinal, item) for item in newest)
            for item in newest:
                self._windows.put(item.ordinal, item.publish_at, item.expire_at)
            self._show(newest)
        hidden = _ordinals(item for item in newest if item.deleted)
        if len(hidden):
            self._retrieval.remove(hidden)
            self._similar.remove(hidden)

    def item(self, ordinal: int) -> ItemVersion:
        return self._items[ordinal]

    def ordinal(self, item_id: str) -> int | None:
        """None: unknown or hidden."""
        ordinal = self._ordinals.get(item_id)
        return ordinal if ordinal is not None and ordinal in self.view.live else None

    def known_ordinal(self, item_id: str) -> int | None:
        """None: unknown. Hidden ones are known."""
        return self._ordinals.get(item_id)

    def ordinals(self, item_ids: Iterable[str]) -> list[int]:
        """Of those known, hidden ones included, in order."""
        known = (self._ordinals.get(item_id) for item_id in item_ids)
        return [ordinal for ordinal in known if ordinal is not None]

    def facts(self, ordinals: Ordinals) -> Facts:
        """ordinals: [K], or [B, K] for facts of B lists at once."""
        vectors, present = self._vectors.get(ordinals)
        return Facts(
            vectors,
            self._popularity.get(ordinals)[0][..., 0],
            self._categories.get(ordinals)[0],
            self._attributes.get(ordinals)[0],
            self._rows.get(ordinals)[0][..., 0].astype(np.int64),
            present,
        )

    def popularity(self, ordinals: Ordinals) -> Vector:
        """log(1 + interactions in training) of each; 0 for one that is unknown. [K] → [K]"""
        return self._popularity.get(ordinals)[0][:, 0]

    def log_interactions(self) -> float:
        """The logarithm of the sum, over what may be shown, of 1 + interactions in training."""
        logs = self.popularity(as_array(self.view.live)).astype(np.float64)
        return math.log(np.exp(logs).sum()) if len(logs) else 0.0

    def popular(self, among: BitMap, n: int) -> tuple[Ordinals, Vector]:
        """The n most popular, most popular first: ordinals and popularity, both [n] at most."""
        ordinals = as_array(among)
        popularity = self._popularity.get(ordinals)[0][:, 0]
        if len(ordinals) > n:
            chosen = np.argpartition(-popularity, n - 1)[:n]
            ordinals, popularity = ordinals[chosen], popularity[chosen]
        order = np.argsort(-popularity, kind="stable")
        return ordinals[order], popularity[order]

    def newest(self, among: BitMap, n: int) -> Ordinals:
        """The n that appeared last, newest first: [n] at most. Those with a moment to publish by
        that, then the others by when the catalogue got them."""
        ordinals = as_array(among)
        published = self._windows.published(ordinals)
        undated = np.flatnonzero(published == -np.inf)[-n:]
        dated = np.flatnonzero(published > -np.inf)
        if len(dated) > n:
            dated = dated[np.argpartition(-published[dated], n - 1)[:n]]
        places = np.concatenate([undated, dated])
        order = np.lexsort((ordinals[places], published[places]))[::-1][:n]
        newest: Ordinals = ordinals[places[order]]
        return newest

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
        rows = self._content.rows([content.item_id for content in contents])
        self._rows.put(ordinals, rows[:, None].astype(np.float32))
        self._categories.put(ordinals, self._content.categories(contents).astype(np.float32))
        self._attributes.put(ordinals, self._content.attributes(contents))
        self._vectors.put(ordinals, np.stack([item.vector for item in items]))
        for item in items:
            self._items.setdefault(item.ordinal, item)
            self._ordinals[item.content.item_id] = item.ordinal

    def _replaced(self, item: ItemVersion) -> Replaced:
        before = self._items.get(item.ordinal)
        return Replaced(
            item.ordinal,
            None if before is None or before.deleted else before.facets,
            None if item.deleted else item.facets,
        )

    def _show(self, items: Sequence[ItemVersion]) -> None:
        """Replaces the view: each of `items` is in it if it is visible now."""
        now = self._clock()
        visible = BitMap(
            item.ordinal
            for item in items
            if not item.deleted and self._windows.visible(item.ordinal, now)
        )
        changed = BitMap(item.ordinal for item in items)
        self._view = View((self._view.live - changed) | visible, self.facets)


def unit(vectors: Vector) -> Vector:
    """Each row divided by its length. [N, D]"""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vector = vectors / np.maximum(lengths, 1e-12)
    return scaled


def _ordinals(items: Iterable[ItemVersion]) -> Ordinals:
    return np.fromiter((item.ordinal for item in items), dtype=np.int64)
