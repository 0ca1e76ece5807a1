"""What browsing, searching and uploading give: plain frozen dataclasses."""

from dataclasses import dataclass
from typing import Literal

from headrace.client.models import Item

Sort = Literal["relevance", "popular", "newest", "price", "price_descending", "title"]
Match = Literal["all_words", "corrected", "some_words", "nearest", "none"]
UploadFormat = Literal["csv", "json_lines"]


@dataclass(frozen=True, slots=True)
class FoundItem:
    """score: how well the item answers the query; only orders, and is 0 without a query."""

    item: Item
    score: float


@dataclass(frozen=True, slots=True)
class NumberFacet:
    """How many of the items have a numeric attribute, and from where to where."""

    count: int
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class PriceRange:
    """How many of the items cost from `min` to `max`, in the smallest unit."""

    min: int
    max: int
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Values and how many of the items have them, most frequent first.

    counted: of so many found items: all, or 2,000 where more were found.
    texts, numbers: by the attribute's name. prices: by currency.
    """

    counted: int
    categories: dict[str, int]
    tags: dict[str, int]
    availability: dict[str, int]
    texts: dict[str, dict[str, int]]
    numbers: dict[str, NumberFacet]
    prices: dict[str, tuple[PriceRange, ...]]


@dataclass(frozen=True, slots=True)
class FoundItems:
    """A page of what was found.

    total: 2,000 means that many or more. next_cursor: None on the last page.
    match: how the items answer the query; None where there was none.
    corrected_query: the query with its mistyped words replaced, where they were.
    personal: whether the person's taste had a say in the order.
    """

    request_id: str
    items: tuple[FoundItem, ...]
    total: int
    next_cursor: str | None
    facets: Facets | None
    match: Match | None
    corrected_query: str | None
    personal: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An item whose title continues what was typed."""

    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """line: the first of the file is 1. column: empty where it is the whole line."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What became of a file. lines: the first 1,000 of those refused."""

    stored: int
    refused: int
    lines: tuple[RefusedLine, ...]
