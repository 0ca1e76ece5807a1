"""What training counted about items: their ratings, and which of them go together.

A vector of a few dozen numbers has no room for rare pairs; a count keeps them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.table import ItemTable
from headrace.errors import BundleInvalid

FILE = "neighbours.npz"
# `next`: right after the item; `soon`: not long after it; `together`: in the same history.
LINKS = ("next", "soon", "together")

Rows = NDArray[np.int64]
Array = NDArray[np.float32]


class Counted(NamedTuple):
    """Of candidates, beside recent items.

    Shapes: ratings [B,K] (mean rating of the item less that of all, damped; 0: unknown), affinity
    [B,J,R,K] (by `LINKS`, how strongly the candidate follows from the recent item).
    """

    ratings: Array
    affinity: Array


@dataclass(frozen=True)
class Neighbours:
    """The strongest M neighbours of each item, by `LINKS`, strengths above 0.

    Shapes: rows and strengths [J,N+1,M], by row of the id table; row 0 stands for no item, and
    fills the places of those with fewer neighbours.
    """

    rows: NDArray[np.int32]
    strengths: Array

    @classmethod
    def none(cls, items: int) -> Neighbours:
        """No item goes with another."""
        shape = (len(LINKS), items + 1, 1)
        return cls(np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.float32))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As they are kept in a file."""
        return {"rows": self.rows, "strengths": self.strengths.astype(np.float16)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], items: int) -> Neighbours:
        """Raises: BundleInvalid if they are not those of so many items."""
        if sorted(arrays) != ["rows", "strengths"]:
            raise BundleInvalid(
                f"{FILE}: holds {', '.join(sorted(arrays))}; must be rows, strengths"
            )
        rows, strengths = arrays["rows"], arrays["strengths"]
        if rows.shape != strengths.shape or rows.shape[:-1] != (len(LINKS), items + 1):
            raise BundleInvalid(
                f"{FILE}: rows {rows.shape} and strengths {strengths.shape} are not those of "
                f"{items} items and {len(LINKS)} links"
            )
        numbers = rows.astype(np.int32)
        if numbers.min(initial=0) < 0 or numbers.max(initial=0) > items:
            raise BundleInvalid(f"{FILE}: names rows beyond the {items} items")
        return cls(numbers, strengths.astype(np.float32))

    def affinity(self, candidates: Rows, recent: Rows) -> Array:
        """Shapes: candidates [B,K] and recent [B,R], rows of the table -> [B,J,R,K]."""
        (batch, width), links = candidates.shape, len(self.rows)
        # One place more takes what is not among the candidates.
        shape = (links, recent.shape[1], width + 1)
        out = np.zeros((batch, *shape), dtype=np.float32)
        place = np.full(self.rows.shape[1], width, dtype=np.int64)
        first = np.arange(0, np.prod(shape), width + 1).reshape(*shape[:2], 1)
        for one, mine, before in zip(out, candidates, recent, strict=True):
            place[mine] = np.arange(width)
            place[0] = width
            at = place[self.rows[:, before]] + first  # [J,R,M], in a flat array
            one.reshape(-1)[at.ravel()] = self.strengths[:, before].ravel()
            place[mine] = width
        return out[..., :width]


@dataclass(frozen=True)
class KnownItems:
    """The id table and the neighbours of its items."""

    table: ItemTable
    neighbours: Neighbours

    def rows(self, item_ids: Sequence[str]) -> Rows:
        """0 for an item that training never saw: [N]."""
        return self.table.rows(item_ids)

    def counted(self, candidates: Rows, recent: Rows) -> Counted:
        """Shapes: candidates [B,K] and recent [B,R], of `rows`."""
        return Counted(
            self.table.rating_offsets[candidates], self.neighbours.affinity(candidates, recent)
        )
