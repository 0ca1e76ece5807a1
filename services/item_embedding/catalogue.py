"""The catalogue as this service speaks of it, and what its decisions need from a store."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from headrace.contracts.items import NewItem


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """An item at one revision. `ordinal` numbers it in every index and bitmap, for ever.

    pixels: [S,S,3] bytes of its picture; None where there is none, or where nobody will look at it.
    """

    ordinal: int
    revision: int
    deleted: bool
    content: NewItem
    pixels: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class EmbeddedItem:
    """An item and what the tower made of its content at that revision.

    vector: [D] as little-endian float32 bytes.
    """

    item: CatalogueItem
    vector: bytes
    bias: float


class Catalogue(Protocol):
    """Where items are kept. Every method raises Unavailable while the store is away."""

    def upsert(self, contents: Sequence[NewItem]) -> list[CatalogueItem]:
        """Adds or replaces items with different ids, all or none; shows what was hidden.

        Returns: them in the order given. What was there already keeps its revision.
        """

    def hide(self, item_id: str) -> CatalogueItem | None:
        """Hides an item. Returns: it afterwards; None where it is unknown or was hidden."""

    def find(self, item_ids: Sequence[str]) -> list[CatalogueItem]:
        """Those that exist and are visible now, in no particular order."""

    def names(self, ordinals: Collection[int]) -> dict[int, str]:
        """Item ids by ordinal, hidden items included, unknown ordinals absent."""

    def publish_changes(
        self, publish: Callable[[Sequence[CatalogueItem]], None], limit: int
    ) -> int:
        """Hands at most `limit` unpublished items to `publish`; they count as published once it
        returns. One publisher at a time among all processes: what is published of an item has
        ascending revisions.

        Returns: how many there were.
        """


class Vectors(Protocol):
    """Where the vectors of one model version are kept. Methods raise as in `Catalogue`.

    A vector is current where its revision is its item's.
    """

    def current(self, ordinals: Collection[int]) -> list[EmbeddedItem]:
        """The current vectors among `ordinals`, hidden items included."""

    def lacking(self, ordinals: Collection[int]) -> list[CatalogueItem]:
        """The items among `ordinals` that have no current vector, hidden items included."""

    def save(self, embedded: Sequence[EmbeddedItem]) -> None:
        """Stores vectors, to be published. Of two revisions the greater one stays."""

    def publish_new(
        self,
        embedded: Sequence[EmbeddedItem],
        publish: Callable[[Sequence[EmbeddedItem]], None],
    ) -> None:
        """Hands vectors that were just made to `publish`, and stores them as published once it
        returns; those whose item has changed meanwhile are left out. One at a time, as `publish`.
        """

    def fill(
        self,
        embed: Callable[[Sequence[CatalogueItem]], Sequence[EmbeddedItem]],
        limit: int,
        settled_s: float,
    ) -> int:
        """Embeds and stores at most `limit` items that lack a current vector and did not change
        for `settled_s`. One at a time among all processes.

        Returns: how many there were.
        """

    def publish(self, publish: Callable[[Sequence[EmbeddedItem]], None], limit: int) -> int:
        """As `Catalogue.publish_changes`, for current vectors that are not published."""

    def count(self) -> "Coverage":
        """How much of the catalogue has current vectors."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Numbers of items: those shown, and those (hidden included) without a current vector."""

    shown: int
    lacking: int
