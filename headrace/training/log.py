"""What happened, as arrays: every person's events in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.pictures.pixels import Pixels


@dataclass(frozen=True)
class EventLog:
    """E events of U people on a catalogue of N items, sorted by person and then by time.

    Shapes: user_ids [U], catalogue [N], offsets [U+1] (person u has the events offsets[u] to
    offsets[u+1]), items [E] (column in the catalogue), kinds [E] (numbers of the `EventType`
    proto), gap_s [E] (seconds since the person's event before; 0: the first, or no times),
    ratings [E] (1 to 5, NaN: none), parts [E] (what preparation held out, by
    `headrace.training.preparation.splits`; None: not from files), pictures [N,S,S,3] (of the
    catalogue, zeros where an item has none; None: no item has). Within a person's events the
    training part comes first, then validation. `ordered`: the order within a part means something.
    """

    user_ids: NDArray[np.object_]
    catalogue: tuple[ItemContent, ...]
    offsets: NDArray[np.int64]
    items: NDArray[np.int64]
    kinds: NDArray[np.int64]
    gap_s: NDArray[np.float32]
    ratings: NDArray[np.float32]
    parts: NDArray[np.int8] | None = None
    pictures: Pixels | None = None
    ordered: bool = True

    @property
    def users(self) -> int:
        return len(self.user_ids)

    def history(self, start: int, end: int) -> NDArray[np.int64]:
        """Items of the events start to end."""
        return self.items[start:end]

    def counts(self, events: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How often each item occurs in the marked events [E]: [N]."""
        return np.bincount(self.items[events], minlength=len(self.catalogue))
