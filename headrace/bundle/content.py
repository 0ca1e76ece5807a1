"""What the item tower reads of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headrace.pictures.pixels import Pixels


@dataclass(frozen=True)
class ItemContent:
    """An item as its owner describes it. `attributes` are finite numbers by name.

    `embedding` [E] is what another model made of the item, `picture` [S,S,3] what is left of its
    picture (`headrace.pictures`); None: there is none. Two items that differ in nothing else count
    as equal.
    """

    item_id: str
    title: str = ""
    description: str = ""
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)
    embedding: NDArray[np.float32] | None = field(default=None, compare=False)
    picture: Pixels | None = field(default=None, compare=False)
