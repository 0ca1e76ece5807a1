"""What the item tower reads of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ItemContent:
    """An item as its owner describes it. `attributes` are finite numbers by name."""

    item_id: str
    title: str = ""
    description: str = ""
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)
