"""What the gateway decides about items: one at a time, or some at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headrace.contracts.items import NewItem
from headrace.errors import InvalidInput, NotFound, Violation
from services.gateway.tombstones import Tombstones


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """An item as the catalogue has it."""

    item: NewItem
    revision: int


class Catalogue(Protocol):
    """Owns the items."""

    async def get(self, item_id: str) -> CatalogueItem | None:
        """None: unknown or hidden."""

    async def upsert(self, items: Sequence[NewItem]) -> list[int]:
        """Stores all of them or none. Returns their revisions in order."""

    async def delete(self, item_id: str) -> int:
        """Hides an item. Returns its revision. Raises: NotFound."""


class Items:
    """The catalogue, of which a deletion counts here at once."""

    def __init__(self, catalogue: Catalogue, tombstones: Tombstones) -> None:
        self._catalogue = catalogue
        self._tombstones = tombstones

    async def get(self, item_id: str) -> CatalogueItem:
        """Raises: NotFound, Unavailable."""
        found = await self._catalogue.get(item_id)
        if found is None:
            raise NotFound(f"item {item_id!r} is unknown or was deleted")
        return found

    async def upsert(self, items: Sequence[NewItem]) -> list[int]:
        """Stores all items or none. Returns their revisions in order.

        Raises: InvalidInput, Unavailable.
        """
        _refuse_repeats(items)
        revisions = await self._catalogue.upsert(items)
        for item in items:
            self._tombstones.remove(item.item_id)
        return revisions

    async def delete(self, item_id: str) -> int:
        """Hides an item from every list. Returns its revision. Raises: NotFound, Unavailable."""
        revision = await self._catalogue.delete(item_id)
        self._tombstones.add(item_id)
        return revision


def _refuse_repeats(items: Sequence[NewItem]) -> None:
    first: dict[str, int] = {}
    repeats = [
        Violation(f"items[{place}].item_id", f"is given twice, first in items[{earlier}]")
        for place, item in enumerate(items)
        if (earlier := first.setdefault(item.item_id, place)) != place
    ]
    if repeats:
        raise InvalidInput(repeats)
