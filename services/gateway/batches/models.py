"""What callers ask and get of many lists, as OpenAPI describes it."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.identifiers import ID_LENGTH, Identifier
from headrace.contracts.list_kinds import ListKind
from headrace.contracts.list_options import ListRules
from headrace.contracts.segments import SegmentName
from services.gateway.lists import ListSource
from services.gateway.models import (
    LIST_LENGTH,
    Category,
    Count,
    Excluded,
    ListedItemModel,
    ModelVersion,
    Problem,
    RecommendationRequest,
    RequestId,
)

PEOPLE = 10_000
LISTS_REPORTED = 100
DEADLINE_S = 3_600.0
"""After so long a stream ends, whoever asked."""
_REQUEST_ID = r"^[\x21-\x7e]{1,64}$"  # as `headrace.runtime.context` takes them


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BatchRequest(ListRules):
    """For which people, how many, of which, and how each list is arranged."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_ids": ["259", "405"], "n": 12, "max_per_category": 3}]
        }
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
    exclude: Excluded = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_choice_of_people(self) -> Self:
        if self.user_ids and self.active_since is not None:
            raise ValueError("active_since: goes without user_ids")
        if self.segment is not None and (self.user_ids or self.active_since is not None):
            raise ValueError("segment: goes without user_ids and active_since")
        return self

    def for_anybody(self) -> RecommendationRequest:
        """The list of somebody of whom nothing may be known."""
        rules = {name: getattr(self, name) for name in ListRules.model_fields}
        return RecommendationRequest(
            **rules, n=self.n, category=self.category, exclude=self.exclude
        )


class ShownBatchItem(BaseModel):
    """An item as its list had it. What else is said of it there may stay, and is passed over."""

    model_config = ConfigDict(frozen=True)

    item_id: Identifier = Field(examples=["50"])
    score: float = Field(allow_inf_nan=False, examples=[0.31])
    source: ListSource = Field(description="What found it.")
    propensity: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="As the batch told it, where `explore` was given.",
        examples=[None],
    )


class ShownBatchList(BaseModel):
    """A list that somebody sees now: a line of a batch, as it came. What else stands there may
    stay, and is passed over."""

    model_config = ConfigDict(frozen=True)

    request_id: Annotated[str, Field(pattern=_REQUEST_ID)] = Field(
        description="Of the batch. Of lists from a file: a name of the run, 1-64 printable ASCII "
        "characters without spaces.",
        examples=["9f1c2d7a4b5e6f80"],
    )
    user_id: Identifier = Field(description="Who sees it.", examples=["259"])
    model_version: Annotated[str, Field(min_length=1, max_length=ID_LENGTH)] = Field(
        description="The model that made it.", examples=["ml-100k-2026-01-31"]
    )
    kind: ListKind = Field(default="for_you", description="As the batch told.")
    personal: bool = Field(description="Whether it is the person's own.")
    items: Annotated[tuple[ShownBatchItem, ...], Field(min_length=1, max_length=LIST_LENGTH)] = (
        Field(description="As they are shown: the first is at position 1.")
    )


class RecordImpressionsRequest(_Body):
    """Lists of batches that people see now: all of them are noted down, or none."""

    lists: Annotated[tuple[ShownBatchList, ...], Field(min_length=1, max_length=LISTS_REPORTED)]


class RecordedImpressions(_Body):
    """The lists will be impressions within a second."""

    lists: int = Field(description="So many: all of the request.", examples=[1])


class BatchLine(_Body):
    """A line of the answer: a person's list; the last one is `end`, or the `problem` that cut it
    short."""

    request_id: RequestId | None = None
    kind: ListKind | None = Field(default=None, description="As it was asked for.")
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
