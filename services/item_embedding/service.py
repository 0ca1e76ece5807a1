"""The decisions of the catalogue's owner: what is accepted, stored, hidden and answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from headrace.contracts.identifiers import Identifier
from headrace.contracts.items import ITEMS_PER_REQUEST, NewItem
from headrace.contracts.violations import check
from headrace.errors import FailedPrecondition, InvalidInput, NotFound, Violation
from services.item_embedding.catalogue import Catalogue, CatalogueItem, EmbeddedItem, Vectors
from services.item_embedding.encoder import ItemTower, embed

log = logging.getLogger(__name__)

# Violations travel in gRPC's trailing metadata, of which clients take 8 kB.
_VIOLATIONS_TOLD = 10


class _ItemIds(BaseModel):
    item_ids: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=ITEMS_PER_REQUEST)]


class _ItemId(BaseModel):
    item_id: Identifier


class _Ordinals(BaseModel):
    ordinals: Annotated[tuple[int, ...], Field(min_length=1, max_length=ITEMS_PER_REQUEST)]


class ItemEmbedding:
    """One implementation for every door. Blocking work runs in threads.

    announce: publishes what was stored, and its vectors, and returns True, or False where that
    cannot be done now. Then it is done later, and the caller is answered all the same: what is
    stored stays stored.
    vectors_stored: told that there are vectors to publish.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: Vectors,
        tower: ItemTower,
        announce: Callable[[Sequence[CatalogueItem]], Awaitable[bool]],
        vectors_stored: Callable[[], object],
    ) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._tower = tower
        self._announce = announce
        self._vectors_stored = vectors_stored

    async def upsert(self, bodies: Sequence[Mapping[str, Any]]) -> list[CatalogueItem]:
        """Adds or replaces items, all or none.

        bodies: 1-1,000, each with the fields of `NewItem`.
        Raises: InvalidInput naming fields as `items[3].title`; Unavailable.
        """
        stored = await asyncio.to_thread(self._upsert, bodies)
        await self._published(stored)
        return stored

    async def delete(self, item_id: str) -> CatalogueItem:
        """Hides an item. Raises: InvalidInput, NotFound, Unavailable."""
        check(_ItemId, {"item_id": item_id})
        hidden = await asyncio.to_thread(self._catalogue.hide, item_id)
        if hidden is None:
            raise NotFound(f"item {item_id!r} is unknown or already hidden")
        await self._published([hidden])
        return hidden

    async def items(self, item_ids: Sequence[str]) -> list[CatalogueItem]:
        """In the order given, less those not visible now. Raises: InvalidInput, Unavailable."""
        check(_ItemIds, {"item_ids": item_ids})
        found = await asyncio.to_thread(self._catalogue.find, item_ids)
        by_id = {item.content.item_id: item for item in found}
        return [by_id[item_id] for item_id in item_ids if item_id in by_id]

    async def vectors(self, ordinals: Sequence[int], model_version: str) -> list[EmbeddedItem]:
        """Current vectors, hidden items included; those not there yet are computed now.

        Raises: InvalidInput, FailedPrecondition for another model version, Unavailable.
        """
        check(_Ordinals, {"ordinals": ordinals})
        if model_version != self._tower.model_version:
            raise FailedPrecondition(
                f"model version {model_version!r} was asked for; "
                f"this process runs {self._tower.model_version!r}"
            )
        return await asyncio.to_thread(self._current_vectors, set(ordinals))

    async def _published(self, items: Sequence[CatalogueItem]) -> None:
        if not await self._announce(items):
            log.warning("a change is stored and will be published later")

    def _upsert(self, bodies: Sequence[Mapping[str, Any]]) -> list[CatalogueItem]:
        return self._catalogue.upsert(checked(bodies, self._tower.embedding_width))

    def _current_vectors(self, ordinals: set[int]) -> list[EmbeddedItem]:
        found = self._vectors.current(ordinals)
        missing = ordinals - {embedded.item.ordinal for embedded in found}
        lacking = self._vectors.lacking(missing) if missing else []
        if not lacking:
            return found
        made = embed(self._tower, lacking)
        self._vectors.save(made)
        self._vectors_stored()
        return found + made


def checked(bodies: Sequence[Mapping[str, Any]], embedding_width: int) -> list[NewItem]:
    """The items of one request. Before a model takes embeddings (width 0), all are kept for it.

    Raises: InvalidInput with the first violations.
    """
    if not 1 <= len(bodies) <= ITEMS_PER_REQUEST:
        raise InvalidInput.of("items", f"must be 1 to {ITEMS_PER_REQUEST:,}, not {len(bodies):,}")
    found: list[Violation] = []
    contents: list[NewItem] = []
    places: dict[str, int] = {}
    for place, body in enumerate(bodies):
        try:
            item = check(NewItem, body, "items", place)
        except InvalidInput as error:
            found.extend(error.violations)
            continue
        if embedding_width and len(item.embedding) not in (0, embedding_width):
            reason = f"has {len(item.embedding)} numbers; the live model takes {embedding_width}"
            found.append(Violation(f"items[{place}].embedding", reason))
        first = places.setdefault(item.item_id, place)
        if first != place:
            reason = f"is that of items[{first}] too; the ids of a request must differ"
            found.append(Violation(f"items[{place}].item_id", reason))
        contents.append(item)
    if found:
        raise InvalidInput(found[:_VIOLATIONS_TOLD])
    return contents
