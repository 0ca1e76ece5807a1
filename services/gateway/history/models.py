"""What callers ask of a history and get from it, as OpenAPI describes it."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.categories import CategoryPath
from headrace.contracts.events import EventTypeName
from headrace.contracts.identifiers import Identifier

HISTORY_LENGTH = 200


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HistoryQuery(_Body):
    """Which page of a history."""

    limit: Annotated[int, Field(ge=1, le=HISTORY_LENGTH, description="How many entries.")] = 50
    cursor: Annotated[str, Field(max_length=400)] | None = Field(
        default=None, description="`next_cursor` of the page before. Absent: the first page."
    )


class HistoryRequest(HistoryQuery):
    """Whose, and which page."""

    user_id: Identifier


class EntryReference(_Body):
    """Which entry."""

    user_id: Identifier
    event_id: Identifier


class HistoryEntryModel(_Body):
    """One thing that the person did and did not take back."""

    event_id: str = Field(description="Names it to `DELETE`.", examples=["c-1"])
    item_id: str = Field(examples=["50"])
    title: str = Field(
        description="Of the item now; deleted items keep their last one.",
        examples=["Star Wars (1977)"],
    )
    categories: list[str] = Field(examples=[["Action", "Adventure"]])
    picture_url: str = Field(
        description="As in the item; empty where it has none.",
        examples=["https://shop.example/pictures/star-wars.jpg"],
    )
    type: EventTypeName = Field(description="What was done.", examples=["rating"])
    value: float | None = Field(
        description="A rating, 1 to 5, or an amount; null where neither applies.", examples=[4.0]
    )
    occurred_at: datetime = Field(examples=["2026-01-31T12:00:00Z"])


class HistoryPageModel(_Body):
    """A page of the history, newest first."""

    entries: list[HistoryEntryModel]
    next_cursor: str | None = Field(
        description="For the page after. Null: this is the last.", examples=[None]
    )


class RemovedEntry(_Body):
    """Kafka has it: the next list that waits for it is without the entry."""

    event_id: str = Field(
        description="Id of the event that takes the entry back, for `after` of a list.",
        examples=["retract-3f9c1a0b7d523f9c1a0b7d523f9c1a0b7d523f9c"],
    )


class UnwantedReference(_Body):
    """Which item, or which category: exactly one of them."""

    item_id: Identifier | None = Field(default=None, description="The item.", examples=["50"])
    category: CategoryPath | None = Field(default=None, description="The category.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.item_id is None) == (self.category is None):
            raise ValueError("item_id: give either an item_id or a category")
        return self


class WantAgainRequest(UnwantedReference):
    """Whose, and what."""

    user_id: Identifier


class PersonReference(_Body):
    """Whose."""

    user_id: Identifier


class UnwantedItemModel(_Body):
    """An item that the person does not want to be shown."""

    item_id: str = Field(examples=["50"])
    title: str = Field(description="Of the item now.", examples=["Star Wars (1977)"])
    categories: list[str] = Field(examples=[["Action", "Adventure"]])
    picture_url: str = Field(
        description="As in the item; empty where it has none.",
        examples=["https://shop.example/pictures/star-wars.jpg"],
    )
    since: datetime = Field(
        description="When the person last said so.", examples=["2026-01-31T12:00:00Z"]
    )


class UnwantedCategoryModel(_Body):
    """A category of which the person wants nothing, nor of those below."""

    category: str = Field(examples=["Home > Kitchen"])
    since: datetime = Field(
        description="When the person last said so.", examples=["2026-01-31T12:00:00Z"]
    )


class UnwantedModel(_Body):
    """What the person wants in no list of theirs: the last 1,000, each once."""

    items: list[UnwantedItemModel] = Field(description="The one said last first.")
    categories: list[UnwantedCategoryModel] = Field(
        description="The one said last first. Of them the first 200 count."
    )


class WantedAgain(_Body):
    """Kafka has it: the next list that waits for it may hold it again."""

    event_id: str = Field(
        description="Id of the event that takes it back, for `after` of a list.",
        examples=["retract-3f9c1a0b7d523f9c1a0b7d523f9c1a0b7d523f9c"],
    )
