"""What callers ask and get of many lists, as OpenAPI describes it."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.filters import Filter
from headrace.contracts.identifiers import Identifier
from headrace.contracts.segments import SegmentName
from services.gateway.models import (
    Category,
    Count,
    ListedItemModel,
    ModelVersion,
    Problem,
    RecommendationRequest,
)

PEOPLE = 10_000
DEADLINE_S = 3_600.0
"""After so long a stream ends, whoever asked."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BatchRequest(_Body):
    """For which people, how many, and of which."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_ids": ["259", "405"], "n": 12}]}
    )

    user_ids: Annotated[list[Identifier], Field(max_length=PEOPLE)] = Field(
        default_factory=list,
        description="At most 10,000. Empty: everybody of whom something is known.",
    )
    active_since: AwareDatetime | None = Field(
        default=None,
        description="Without `user_ids`: only those who did something at this moment or later.",
    )
    segment: SegmentName | None = Field(
        default=None,
        description="Instead of both: those in this segment of the behaviour analysis, as of now.",
    )
    n: Count = 20
    category: Category | None = None
    filter: Filter | None = Field(default=None, description="Only items that pass, as in lists.")
    include_seen: bool = Field(
        default=False, description="Also items that people are done with, as bought ones are."
    )

    @model_validator(mode="after")
    def _one_choice_of_people(self) -> Self:
        if self.user_ids and self.active_since is not None:
            raise ValueError("active_since: goes without user_ids")
        if self.segment is not None and (self.user_ids or self.active_since is not None):
            raise ValueError("segment: goes without user_ids and active_since")
        return self

    def for_anybody(self) -> RecommendationRequest:
        """The list of somebody of whom nothing may be known."""
        return RecommendationRequest(n=self.n, category=self.category, filter=self.filter)


class BatchLine(_Body):
    """A line of the answer: a person's list; the last one is `end`, or the `problem` that cut it
    short."""

    user_id: str | None = Field(default=None, description="The person.", examples=["259"])
    model_version: ModelVersion | None = None
    as_of: datetime | None = Field(
        default=None,
        description="When the person's last event in the list happened; when the list was made "
        "where it is not personal.",
    )
    personal: bool | None = Field(
        default=None, description="Whether something is known of the person."
    )
    items: list[ListedItemModel] | None = Field(default=None, description="Best first.")
    end: int | None = Field(
        default=None, description="In the last line: all lists came, so many.", examples=[None]
    )
    problem: Problem | None = Field(
        default=None, description="In the last line: why the others did not come.", examples=[None]
    )
