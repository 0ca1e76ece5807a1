"""What may be asked of any list, at every door."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.filters import Filter
from headrace.contracts.identifiers import Identifier
from headrace.contracts.list_kinds import SIMILAR_TO, ListKind, Window

BOOSTS = 10
PINS = 50
_GREATEST_POSITION = 1_000
_CURSOR_LENGTH = 6_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Boost(_Part):
    """Lifts or sinks the items that pass a filter."""

    filter: Filter
    factor: Annotated[float, Field(ge=0.01, le=100)] = Field(
        description="Multiplies the odds of each item that passes: 2 makes 1:3 into 2:3, a score "
        "of 0.25 into 0.4. Below 1 sinks. Boosts of one item multiply.",
        examples=[2.0],
    )


class Pin(_Part):
    """Shows an item at a place of the list."""

    item_id: Identifier = Field(examples=["50"])
    position: Annotated[int, Field(ge=1, le=_GREATEST_POSITION)] = Field(
        description="From 1; counted over the pages. Where the list ends before, at its end.",
        examples=[1],
    )


class ListRules(BaseModel):
    """Which items a list may hold, and how they are arranged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ListKind = Field(
        default="for_you",
        description="for_you: the best for the person or the visit, or what is liked of late. "
        "similar: near all of `items` together. trending: chosen most within `window`. new: the "
        "newest, in the order of the person's taste. people_like_you: what people with near "
        "vectors touched last.",
    )
    items: tuple[Identifier, ...] = Field(
        default=(),
        max_length=SIMILAR_TO,
        description="For `similar`: to which items. Unknown ones are passed over.",
        examples=[[]],
    )
    window: Window | None = Field(
        default=None,
        description="For `trending`: the last hour, day or week. Null: of late, the latest most.",
    )
    filter: Filter | None = Field(
        default=None,
        description="Only items that pass. An object with exactly one of the keys below; "
        "`all`, `any` and `none` hold more of them, at most 8 deep, 100 in all.",
        examples=[{"none": [{"tag": {"one_of": ["used"]}}]}],
    )
    include_seen: bool = Field(
        default=False, description="Also items that the person is done with, as bought ones are."
    )
    boost: tuple[Boost, ...] = Field(
        default=(), max_length=BOOSTS, description="What to lift or sink."
    )
    pin: tuple[Pin, ...] = Field(
        default=(),
        max_length=PINS,
        description="Shown whether or not they pass the filter, were seen, or fit the limits "
        "below; not where they are hidden or in `exclude`. Other ids and places for each.",
    )
    max_per_category: Annotated[int, Field(ge=1, le=200)] | None = Field(
        default=None,
        description="At most so many items of each category that items name, on a page. Items "
        "without one are not limited.",
    )
    diversity: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="From 0, the best first, to 1, each as unlike those above it as there is "
        "(maximal marginal relevance over the items' vectors).",
    )
    explore: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="The chance of each place to be drawn in proportion to the candidates' odds "
        "instead of given to the best; each item then has its `propensity`.",
    )

    @model_validator(mode="after")
    def _kind_has_what_it_needs(self) -> Self:
        if (self.kind == "similar") != bool(self.items):
            raise ValueError("items: must be given for the kind `similar`, and for no other")
        if self.window is not None and self.kind != "trending":
            raise ValueError("window: is for the kind `trending` alone")
        return self

    @property
    def arranged(self) -> bool:
        """Whether more is asked for than the best of what passes."""
        return any((self.boost, self.pin, self.max_per_category, self.diversity, self.explore))

    @model_validator(mode="after")
    def _pins_differ(self) -> Self:
        if len(self.pin) > len({one.item_id for one in self.pin}):
            raise ValueError("pin: an item has one place")
        if len(self.pin) > len({one.position for one in self.pin}):
            raise ValueError("pin: a place has one item")
        return self


class ListOptions(ListRules):
    """The same, and what only a list by itself has: pages, and reasons."""

    explain: bool = Field(
        default=False,
        description="Say why: for lists `for_you` and `new` of a person with history, without a "
        "`session`. Takes some ten times as long.",
    )
    cursor: Annotated[str, Field(max_length=_CURSOR_LENGTH)] | None = Field(
        default=None,
        description="Asks for pages that never repeat an item: empty for the first, then the "
        "`next_cursor` of the page before. The other fields may change from page to page.",
        examples=[""],
    )

    @property
    def arranged(self) -> bool:
        return super().arranged or self.cursor is not None
