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
_NONE: Rows = np.zeros(0, dtype=np.int64)
Array = NDArray[np.float32]


class Pairs(NamedTuple):
    """Candidates that follow from a recent item, the few of all pairs of which that is so.

    Shapes: candidates [E], places in a flat [B,J,K] with J of `LINKS`; recent [E], places in a flat
    [B,R]; strengths [E].
    """

    candidates: Rows
    recent: Rows
    strengths: Array


class Counted(NamedTuple):
    """Of candidates, beside recent items.

    Shapes: ratings [B,K] (mean rating of the item less that of all, damped; 0: unknown), and what
    goes with recent items.
    """

    ratings: Array
    pairs: Pairs


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

    def pairs(self, candidates: Rows, recent: Rows) -> Pairs:
        """Shapes: candidates [B,K] and recent [B,R], rows of the table."""
        links, items, most = self.rows.shape
        width, length = candidates.shape[1], recent.shape[1]
        among = np.zeros(items, dtype=np.bool_)
        place = np.zeros(items, dtype=np.int64)
        hits, places = [_NONE], [_NONE]
        for owner, (mine, before) in enumerate(zip(candidates, recent, strict=True)):
            place[mine] = np.arange(width) + owner * links * width
            among[mine] = True
            among[0] = False
            neighbours = self.rows.take(before, axis=1).ravel()  # [J*R*M]
            # Nine of ten are no candidates; a table of bytes tells faster than their places do.
            found = among.take(neighbours).nonzero()[0]
            places.append(place.take(neighbours.take(found)))
            found += owner * neighbours.size
            hits.append(found)
            among[mine] = False
        # From here on all people at once. A hit is person, link, recent item and neighbour in one.
        # Taken apart by `//`, which numpy does five times as fast as divmod and `%`.
        hit = np.concatenate(hits)
        which = hit // most
        person_link = which // max(length, 1)
        person = person_link // links
        link = person_link - person * links
        own = which - (person_link - person) * length
        entry = (link * items + recent.ravel().take(own)) * most + (hit - which * most)
        return Pairs(
            np.concatenate(places) + link * width, own, self.strengths.reshape(-1).take(entry)
        )


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
            self.table.rating_offsets[candidates], self.neighbours.pairs(candidates, recent)
        )
