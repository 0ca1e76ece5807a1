"""An event as a caller sends it, and the checks that every event passes."""

import hashlib
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from headrace.contracts.categories import CategoryPath
from headrace.contracts.identifiers import Identifier

OLDEST = timedelta(days=3653)  # ten years
AHEAD = timedelta(minutes=5)  # clocks of browsers differ
EVENTS_PER_REQUEST = 500


class EventType(IntEnum):
    """The numbers of headrace.api.events.v1.EventType."""

    VIEW = 1
    CLICK = 2
    CART = 3
    PURCHASE = 4
    LIKE = 5
    DISLIKE = 6
    RATING = 7
    RETRACTION = 8
    NOT_INTERESTED = 9


EventTypeName = Literal[
    "view", "click", "cart", "purchase", "like", "dislike", "rating", "not_interested"
]
"""What callers may say. A retraction is written by the gateway."""

REFUSAL: EventTypeName = "not_interested"
"""A rule for lists, and no taste: it holds too for who does not want personal ones."""


def _read_text(moment: object) -> object:
    # pydantic would take "1764000000" for a Unix time, in seconds or ms as its length has it.
    if not isinstance(moment, str):
        return moment
    try:
        return datetime.fromisoformat(moment.upper())
    except ValueError:
        raise ValueError("must be RFC 3339 with an offset, such as 2026-01-31T12:00:00Z") from None


def _within_window(occurred_at: datetime) -> datetime:
    now = datetime.now(UTC)
    if not now - OLDEST <= occurred_at <= now + AHEAD:
        raise ValueError("must lie at most ten years back and five minutes ahead")
    return occurred_at


OccurredAt = Annotated[AwareDatetime, BeforeValidator(_read_text), AfterValidator(_within_window)]


class NewEvent(BaseModel):
    """One thing a person did with an item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: Identifier | None = Field(
        default=None,
        description="Unique per person. Sent again with the same body it has no further effect. "
        "Absent: one is made, and a retry counts again.",
    )
    user_id: Identifier
    # Before `item_id`, which is checked in its light.
    category: CategoryPath | None = Field(
        default=None,
        description="For `not_interested`, instead of an item: nothing of this category or below.",
    )
    item_id: Identifier | None = Field(
        default=None,
        validate_default=True,
        description="Required but where `category` is given. An item that the catalogue lacks is "
        "allowed: the event waits for it.",
        examples=["50"],
    )
    type: EventTypeName
    occurred_at: OccurredAt | None = Field(
        default=None,
        description="RFC 3339 with an offset, at most ten years back and five minutes ahead. "
        "Absent: now.",
    )
    value: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="For a rating, 1 to 5, required. For other types an amount, 0 or more.",
    )

    @field_validator("item_id")
    @classmethod
    def _given_without_category(cls, item_id: str | None, info: ValidationInfo) -> str | None:
        if item_id is None and info.data.get("category", "") is None:
            raise ValueError("must be given")
        return item_id

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if self.category is None:
            return self
        if self.type != "not_interested":
            raise ValueError("category: goes with not_interested alone; name an item")
        if self.item_id is not None:
            raise ValueError("category: must not be given beside an item_id; send two events")
        return self

    @model_validator(mode="after")
    def _value_fits_type(self) -> Self:
        if self.type == "rating":
            if self.value is None or not 1 <= self.value <= 5:
                raise ValueError("value: a rating needs a value from 1 to 5")
        elif self.value is not None and self.value < 0:
            raise ValueError("value: must be 0 or more")
        return self

    @property
    def event_type(self) -> EventType:
        return EventType[self.type.upper()]


class Retraction(BaseModel):
    """An event that takes an earlier one of the same person back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: Identifier
    user_id: Identifier
    retracts: Identifier


def retraction_id(user_id: str, event_id: str) -> str:
    """The id of the event that takes an event back: always the same, so that asking twice has one
    effect."""
    name = f"{user_id}\n{event_id}"
    return f"retract-{hashlib.sha256(name.encode()).hexdigest()[:40]}"
