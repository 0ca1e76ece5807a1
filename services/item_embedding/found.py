"""What browsing and searching find, and what the search needs from a store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from headrace.contracts.filters import Condition
from headrace.contracts.finding import Sort
from services.item_embedding.catalogue import CatalogueItem

KNOWN = 2_000
"""So many found items are known at most: more are not counted, nor in facets. By relevance they are
the most popular ones."""
RANKED = 1_000
"""So many of them at most, the most popular ones, are ranked by their text: words that more items
have tell little."""

Match = Literal["", "all_words", "corrected", "some_words", "none"]


Groups = tuple[tuple[str, ...], ...]
"""An item must have a word of each."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a query is read. The next pages read it the same way.

    groups: None where there is no query.
    """

    groups: Groups | None
    match: Match
    corrected_query: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the sort key of its last item as Postgres writes it, and the ordinal."""

    key: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class Question:
    """groups: None where there was no query."""

    groups: Groups | None
    filter: Condition | None
    sort: Sort


@dataclass(frozen=True, slots=True)
class Found:
    item: CatalogueItem
    score: float


@dataclass(frozen=True, slots=True)
class Page:
    """A page and where it ends; `end` is None on the last one."""

    items: list[Found]
    end: Place | None


@dataclass(frozen=True, slots=True)
class NumberRange:
    name: str
    count: int
    least: float
    greatest: float


@dataclass(frozen=True, slots=True)
class PriceRanges:
    """ranges: least price, greatest price, number of items."""

    currency: str
    ranges: list[tuple[int, int, int]]


@dataclass(slots=True)
class Facets:
    """Values and their counts, most frequent first. counted: of how many items."""

    counted: int
    categories: list[tuple[str, int]] = field(default_factory=list)
    tags: list[tuple[str, int]] = field(default_factory=list)
    availability: list[tuple[str, int]] = field(default_factory=list)
    texts: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    numbers: list[NumberRange] = field(default_factory=list)
    prices: list[PriceRanges] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Finding:
    """total: at most KNOWN; facets: of as many items, None where they were not asked for."""

    total: int
    page: Page
    facets: Facets | None


class SearchStore(Protocol):
    """Finds what is visible now. Every method raises Unavailable while the store is away."""

    def find(self, question: Question, n: int, after: Place | None, *, facets: bool) -> Finding: ...

    def categories(self, under: str) -> list[tuple[str, int]]:
        """Paths and numbers of items, parents before their children."""

    def known(self, words: Sequence[str]) -> set[str]:
        """Those that are in titles or tags."""

    def near(self, word: str, keys: Sequence[str]) -> list[str]:
        """Words that share a key with it: see `words.keys`."""

    def titles(self, words: Sequence[str], n: int) -> list[tuple[str, str]]:
        """Ids and titles with all words, of which the last may be unfinished; popular first."""

    def miss(self, query: str) -> None:
        """Remembers a query that found nothing."""

    def misses(self, n: int) -> list[tuple[str, int]]:
        """Queries and how often they were asked, most frequent first."""
