"""The catalogue and the vectors kept in memory, and a tower without a model."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from headrace.bundle import ItemContent
from headrace.contracts.items import NewItem
from headrace.index.encoding import Vector
from services.item_embedding.catalogue import CatalogueItem, Coverage, EmbeddedItem


class LengthTower:
    """A vector of width 2: [length of the title, number of categories]; the bias is 0.5, and what
    an embedding of 3 sums up to."""

    model_version = "length-1"
    width = 2
    embedding_width = 3

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, items: Sequence[ItemContent]) -> tuple[Vector, Vector]:
        self.encoded += [item.item_id for item in items]
        vectors = [[len(item.title), len(item.categories)] for item in items]
        biases = [0.5 + (0 if i.embedding is None else i.embedding.sum()) for i in items]
        return np.array(vectors, np.float32), np.array(biases, np.float32)


class MemoryCatalogue:
    def __init__(self) -> None:
        self.items: dict[str, CatalogueItem] = {}
        self.published: dict[str, int] = {}

    def upsert(self, contents: Sequence[NewItem]) -> list[CatalogueItem]:
        return [self._put(content) for content in contents]

    def _put(self, content: NewItem) -> CatalogueItem:
        before = self.items.get(content.item_id)
        if before is None:
            after = CatalogueItem(len(self.items) + 1, 1, False, content)
        elif before.deleted or before.content != content:
            after = CatalogueItem(before.ordinal, before.revision + 1, False, content)
        else:
            after = before
        self.items[content.item_id] = after
        return after

    def hide(self, item_id: str) -> CatalogueItem | None:
        before = self.items.get(item_id)
        if before is None or before.deleted:
            return None
        self.items[item_id] = replace(before, revision=before.revision + 1, deleted=True)
        return self.items[item_id]

    def find(self, item_ids: Sequence[str]) -> list[CatalogueItem]:
        found = [self.items[item_id] for item_id in item_ids if item_id in self.items]
        return [item for item in reversed(found) if not item.deleted]

    def names(self, ordinals: Collection[int]) -> dict[int, str]:
        return {i.ordinal: i.content.item_id for i in self.items.values() if i.ordinal in ordinals}

    def publish_changes(
        self, publish: Callable[[Sequence[CatalogueItem]], None], limit: int
    ) -> int:
        unpublished = [
            item
            for item_id, item in self.items.items()
            if self.published.get(item_id, 0) < item.revision
        ][:limit]
        if unpublished:
            publish(unpublished)
        self.published.update({item.content.item_id: item.revision for item in unpublished})
        return len(unpublished)


class MemoryVectors:
    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue
        self.stored: dict[int, EmbeddedItem] = {}
        self.published: dict[int, int] = {}

    def current(self, ordinals: Collection[int]) -> list[EmbeddedItem]:
        return [
            EmbeddedItem(item, self.stored[item.ordinal].vector, self.stored[item.ordinal].bias)
            for item in self._catalogue.items.values()
            if item.ordinal in ordinals and self._is_current(item)
        ]

    def lacking(self, ordinals: Collection[int]) -> list[CatalogueItem]:
        return [i for i in self._all_lacking() if i.ordinal in ordinals]

    def save(self, embedded: Sequence[EmbeddedItem]) -> None:
        for one in embedded:
            before = self.stored.get(one.item.ordinal)
            if before is None or before.item.revision < one.item.revision:
                self.stored[one.item.ordinal] = one

    def publish_new(
        self,
        embedded: Sequence[EmbeddedItem],
        publish: Callable[[Sequence[EmbeddedItem]], None],
    ) -> None:
        revisions = {item.ordinal: item.revision for item in self._catalogue.items.values()}
        current = [one for one in embedded if revisions[one.item.ordinal] == one.item.revision]
        if current:
            publish(current)
        self.save(current)
        self.published.update({one.item.ordinal: one.item.revision for one in current})

    def fill(
        self,
        embed: Callable[[Sequence[CatalogueItem]], Sequence[EmbeddedItem]],
        limit: int,
        settled_s: float,
    ) -> int:
        # Here everything changed just now.
        lacking = self._all_lacking()[:limit] if settled_s == 0 else []
        if lacking:
            self.save(embed(lacking))
        return len(lacking)

    def publish(self, publish: Callable[[Sequence[EmbeddedItem]], None], limit: int) -> int:
        every = {item.ordinal for item in self._catalogue.items.values()}
        unpublished = [
            one
            for one in self.current(every)
            if self.published.get(one.item.ordinal, 0) < one.item.revision
        ][:limit]
        if unpublished:
            publish(unpublished)
        self.published.update({one.item.ordinal: one.item.revision for one in unpublished})
        return len(unpublished)

    def count(self) -> Coverage:
        shown = sum(not item.deleted for item in self._catalogue.items.values())
        return Coverage(shown, len(self._all_lacking()))

    def _all_lacking(self) -> list[CatalogueItem]:
        return [item for item in self._catalogue.items.values() if not self._is_current(item)]

    def _is_current(self, item: CatalogueItem) -> bool:
        stored = self.stored.get(item.ordinal)
        return stored is not None and stored.item.revision == item.revision
