"""What callers ask the catalogue and get from it, as OpenAPI describes it.

Answers are written without passing through their models, which only describe them.
"""

from typing import Annotated, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.categories import CategoryPath
from headrace.contracts.finding import FOUND_LENGTH, FindRequest, Query, Sort
from headrace.contracts.identifiers import Identifier
from headrace.contracts.items import NewItem
from headrace.contracts.violations import check
from headrace.errors import InvalidInput
from services.gateway.models import RequestId

Match = Literal["all_words", "corrected", "some_words", "nearest", "none"]
_FILTER_LENGTH = 20_000


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BrowseQuery(_Body):
    """Which items, in which order, and which page."""

    category: CategoryPath | None = Field(
        default=None,
        description="Only items of this category and those below.",
        examples=["Home > Kitchen"],
    )
    filter: Annotated[str, Field(max_length=_FILTER_LENGTH)] | None = Field(
        default=None,
        description="Only items that pass: a filter as in lists, written as JSON.",
        examples=['{"price": {"currency": "EUR", "lte": 2000}}'],
    )
    sort: Sort | None = Field(
        default=None,
        description="Absent: by relevance where there is a query, else the popular first.",
    )
    n: Annotated[int, Field(ge=1, le=FOUND_LENGTH)] = 24
    cursor: Annotated[str, Field(max_length=4_000)] | None = Field(
        default=None, description="`next_cursor` of the page before. Absent: the first page."
    )
    facets: bool = Field(default=False, description="Also count what the items have in common.")


class SearchQuery(BrowseQuery):
    """What to look for."""

    q: Annotated[Query, Field(min_length=1)] = Field(
        description="The first 16 words count. Small slips are forgiven.",
        examples=["chef knife"],
    )
    user_id: Identifier | None = Field(
        default=None,
        description="Rank the best 100 answers by what this person likes, too. Needs the scope "
        "`read`; goes with neither `sort` nor `cursor`.",
    )

    @model_validator(mode="after")
    def _a_person_ranks_the_best(self) -> Self:
        if self.user_id is not None and (self.cursor or self.sort not in (None, "relevance")):
            raise ValueError("user_id: goes with neither sort nor cursor")
        return self


class SuggestQuery(_Body):
    """What was typed so far."""

    q: Annotated[Query, Field(min_length=1)] = Field(
        description="The last word may be unfinished.", examples=["chef kni"]
    )
    n: Annotated[int, Field(ge=1, le=20)] = 8


class CategoriesQuery(_Body):
    """Which part of the tree."""

    under: CategoryPath | None = Field(
        default=None, description="Only those below this one.", examples=["Home"]
    )


class UnansweredQuery(_Body):
    """How many."""

    n: Annotated[int, Field(ge=1, le=1_000)] = 100


def find_request(query: BrowseQuery, text: str = "") -> FindRequest:
    """Raises: InvalidInput with paths such as `filter.price.lte`."""
    conditions = []
    if query.category is not None:
        conditions.append({"category": {"one_of": [query.category]}})
    if query.filter is not None:
        try:
            given = orjson.loads(query.filter)
        except ValueError as error:
            raise InvalidInput.of("filter", f"must be JSON: {error}") from error
        check(FindRequest, {"filter": given})  # by itself, so that its paths are as they came
        conditions.append(given)
    return check(
        FindRequest,
        {
            "query": text,
            "filter": {"all": conditions} if conditions else None,
            "sort": query.sort,
            "n": query.n,
            "cursor": query.cursor or "",
            "facets": query.facets,
        },
    )


class FoundItemModel(NewItem):
    """One place in a list of found items."""

    score: float = Field(
        description="How well it answers the query: only orders, and is 0 without a query.",
        examples=[0.61],
    )


class ValueCount(_Body):
    """A value and how many of the items have it."""

    value: str = Field(examples=["Mill"])
    count: int = Field(examples=[12])


class TextFacet(_Body):
    """The values of a text attribute."""

    name: str = Field(examples=["brand"])
    values: list[ValueCount]


class NumberFacet(_Body):
    """The values of a numeric attribute."""

    name: str = Field(examples=["year"])
    count: int = Field(examples=[31])
    min: float = Field(examples=[1999.0])
    max: float = Field(examples=[2026.0])


class PriceRangeCount(_Body):
    """Prices from `min` to `max`, both included, in the smallest unit."""

    min: int = Field(examples=[500])
    max: int = Field(examples=[1999])
    count: int = Field(examples=[9])


class PriceFacet(_Body):
    """The prices in a currency."""

    currency: str = Field(examples=["EUR"])
    ranges: list[PriceRangeCount]


class FacetsModel(_Body):
    """What the found items have in common, most frequent first."""

    counted: int = Field(description="Of so many found items: all, or 2,000 where more were found.")
    categories: list[ValueCount]
    tags: list[ValueCount]
    availability: list[ValueCount]
    texts: list[TextFacet]
    numbers: list[NumberFacet]
    prices: list[PriceFacet]


class FoundItems(_Body):
    """A page of what was found."""

    request_id: RequestId
    items: list[FoundItemModel]
    total: int = Field(description="Items found; 2,000: that many or more.", examples=[37])
    next_cursor: str | None = Field(
        description="For the next page. Null: this is the last.", examples=[None]
    )
    facets: FacetsModel | None = Field(description="Set where `facets` was.")
    match: Match | None = Field(
        description="all_words: each item has all words. corrected: mistyped words were replaced. "
        "some_words: no item has all. nearest: no item has any; these are nearest to what the "
        "query means. none: nothing was found. Null: there was no query."
    )
    corrected_query: str | None = Field(description="Where `match` is corrected.", examples=[None])
    personal: bool = Field(description="Whether the person's vector had a say in the order.")


class CategoryModel(_Body):
    """A category and the number of visible items in it and below."""

    path: str = Field(examples=["Home > Kitchen"])
    items: int = Field(examples=[37])


class Categories(_Body):
    """The categories that have visible items, parents before their children."""

    categories: list[CategoryModel]


class SuggestionModel(_Body):
    """An item whose title continues what was typed."""

    item_id: str = Field(examples=["n-1"])
    title: str = Field(examples=["Chef's knife"])


class Suggestions(_Body):
    """Items whose titles continue what was typed, most popular first."""

    suggestions: list[SuggestionModel]


class UnansweredSearchModel(_Body):
    """A search that found nothing, in lower case, and how often it was asked."""

    query: str = Field(examples=["mandoline"])
    times: int = Field(examples=[4])


class UnansweredSearches(_Body):
    """Searches that found nothing, most frequent first; the 10,000 latest are kept."""

    searches: list[UnansweredSearchModel]


class RefusedLineModel(_Body):
    """A line that was refused."""

    line: int = Field(description="The first line of the file is 1.", examples=[12])
    column: str = Field(
        description="Column or field at fault; empty: the whole line.", examples=["price"]
    )
    reason: str = Field(description="What would be right.", examples=["must be a number"])


class UploadReport(_Body):
    """What became of a file."""

    stored: int = Field(description="Items stored, unchanged ones included.", examples=[1_204])
    refused: int = Field(description="Lines refused.", examples=[1])
    lines: list[RefusedLineModel] = Field(description="The first 1,000 lines refused.")
