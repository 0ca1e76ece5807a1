"""Described items, and those that events name and nobody describes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.training.preparation.items import Items
from headrace.training.preparation.output import PICTURES, write_items
from headrace.training.preparation.pictures import lengthen
from headrace.training.preparation.spill import hashes


class Catalogue:
    """`ids` [N] are of items in events, by code; counts grow as histories are written."""

    def __init__(self, described: Items, ids: Sequence[str]) -> None:
        self._described = described
        self.ids = np.array(ids, dtype=object)
        self._counts = np.zeros(len(ids), dtype=np.int64)

    def count(self, items: NDArray[np.int32]) -> None:
        """Events [E] that are written."""
        self._counts += np.bincount(items, minlength=len(self.ids))

    @property
    def touched(self) -> int:
        return int((self._counts > 0).sum())

    @property
    def size(self) -> int:
        return len(self._described.contents) + len(self.undescribed())

    def undescribed(self) -> list[str]:
        """Touched items without a description, in an order that does not depend on the data's."""
        known = {item.item_id for item in self._described.contents}
        ids = [name for name in self.ids[self._counts > 0] if name not in known]
        return [ids[place] for place in np.lexsort((np.array(ids, dtype=np.str_), hashes(ids)))]

    def write(self, folder: Path) -> None:
        extra = (ItemContent(name) for name in self.undescribed())
        items = (*self._described.contents, *extra)
        write_items(folder, items)
        if any(item.picture is not None for item in items):
            lengthen(folder / PICTURES, len(items))
