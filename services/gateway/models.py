"""What callers send and get, as both doors check it and OpenAPI describes it.

Answers are written without passing through their models, which only describe them.
"""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.categories import CategoryPath
from headrace.contracts.events import EVENTS_PER_REQUEST, NewEvent
from headrace.contracts.identifiers import Identifier
from headrace.contracts.items import ITEMS_PER_REQUEST, NewItem
from headrace.contracts.list_options import ListOptions
from services.gateway.lists import AfterStatus, ListSource
from services.gateway.privacy.choices import NotPersonalBecause

LIST_LENGTH = 200
SESSION_LENGTH = 200
EXCLUDE_LENGTH = 1_000

Count = Annotated[
    int, Field(ge=1, le=LIST_LENGTH, description="How many items; fewer only where fewer exist.")
]
Category = Annotated[
    CategoryPath,
    Field(
        description="Only items in this category or below it in the tree. Absent: of all.",
        examples=["Comedy"],
    ),
]
After = Annotated[
    Identifier,
    Field(
        description="Wait, at most 250 ms, until this event of the person is in the list.",
        examples=["c-1"],
    ),
]
Excluded = Annotated[
    list[Identifier],
    Field(max_length=EXCLUDE_LENGTH, description="Items to leave out.", examples=[["172"]]),
]

RequestId = Annotated[
    str, Field(description="Id of this answer, also in the logs.", examples=["9f1c2d7a4b5e6f80"])
]
ModelVersion = Annotated[
    str, Field(description="The model that made it.", examples=["ml-100k-2026-01-31"])
]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordEventsRequest(_Body):
    """Events to accept, all of them or none."""

    events: Annotated[list[NewEvent], Field(min_length=1, max_length=EVENTS_PER_REQUEST)] = Field(
        examples=[[{"event_id": "c-1", "user_id": "259", "item_id": "50", "type": "click"}]],
    )


class PersonListQuery(_Body):
    """Which list of a person."""

    n: Count = 20
    category: Category | None = None
    after: After | None = None


class SimilarQuery(_Body):
    """Which items near an item."""

    n: Count = 20
    category: Category | None = None
    user_id: Identifier | None = Field(
        default=None, description="Without what this person refused. Absent: as for anybody."
    )


class SimilarUsersQuery(_Body):
    """How many people."""

    n: Annotated[int, Field(ge=1, le=LIST_LENGTH, description="How many people.")] = 20


class SimilarUsersRequest(SimilarUsersQuery):
    """To whom, and how many."""

    user_id: Identifier


class ItemReference(_Body):
    """Which item."""

    item_id: Identifier


class SimilarRequest(SimilarQuery, ItemReference):
    """To which item, how many, and of which."""


class RecommendationRequest(ListOptions):
    """For whom, how many, and of which. With neither person nor visit: what is liked of late."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "259",
                    "n": 12,
                    "filter": {"none": [{"tag": {"one_of": ["used"]}}]},
                    "max_per_category": 3,
                    "diversity": 0.3,
                }
            ]
        }
    )

    user_id: Identifier | None = Field(default=None, examples=["259"])
    session: list[Identifier] = Field(
        default_factory=list,
        max_length=SESSION_LENGTH,
        description="Items of the present visit, oldest first. Unknown ones are passed over.",
        examples=[["50", "181"]],
    )
    n: Count = 20
    category: Category | None = None
    exclude: Excluded = Field(default_factory=list)
    after: After | None = None

    @model_validator(mode="after")
    def _after_needs_a_person(self) -> Self:
        if self.after is not None and self.user_id is None:
            raise ValueError("after: needs the user_id whose event it is")
        return self


class UpsertItemsRequest(_Body):
    """Items to add or replace, all of them or none."""

    items: Annotated[list[NewItem], Field(min_length=1, max_length=ITEMS_PER_REQUEST)] = Field(
        examples=[[{"item_id": "n-1", "title": "Night Train", "categories": ["Thriller"]}]],
        description="With different ids.",
    )


class RecordedEvents(_Body):
    """Kafka has the events on all in-sync replicas."""

    event_ids: list[str] = Field(description="In the order of the request.", examples=[["c-1"]])


class CauseModel(_Body):
    """One of the person's own items."""

    item_id: str = Field(examples=["50"])
    title: str = Field(examples=["Star Wars (1977)"])
    log_odds: float = Field(
        description="By how much the log-odds fall where the person's history lacks the item.",
        examples=[0.8],
    )


class ExplanationModel(_Body):
    """Why an item is in a list. The three terms add up to the log-odds of its score."""

    anybody: float = Field(description="What the item is worth to somebody without history.")
    history: float = Field(description="What the person's history adds.")
    boosts: float = Field(description="What boosts add.")
    because: list[CauseModel] = Field(
        description="Which of the person's own items add most, at most 5 of the 20 last touched, "
        "each alone. They need not add up to `history`."
    )


class ListedItemModel(_Body):
    """One place in a list."""

    item_id: str = Field(examples=["181"])
    score: float = Field(
        description="For a person or a visit: the chance, 0 to 1, that the item is chosen, "
        "after boosts. For similar items: the cosine, -1 to 1. Otherwise a number that only "
        "orders.",
        examples=[0.31],
    )
    title: str = Field(examples=["Return of the Jedi (1983)"])
    categories: list[str] = Field(examples=[["Action", "Adventure"]])
    source: ListSource = Field(description="What found the item.")
    propensity: float | None = Field(
        description="Where `explore` was given: the probability with which this item was put at "
        "this place, given the items above it. Null otherwise.",
        examples=[None],
    )
    explanation: ExplanationModel | None = Field(
        description="Where `explain` was given and there is a history. Null otherwise.",
        examples=[None],
    )
    picture_url: str = Field(
        description="As in the item; empty where it has none.",
        examples=["https://shop.example/pictures/jedi.jpg"],
    )


class AfterOutcome(_Body):
    """What became of the event that the list was to wait for."""

    event_id: str = Field(examples=["c-1"])
    status: AfterStatus = Field(
        description="applied: it is in the list. pending: stored, not yet in the list. "
        "waiting_for_item: kept until the catalogue has its item. refused: the dead letters have "
        "the reason. unknown: not stored, or that could not be found out."
    )


class Recommendations(_Body):
    """A list, best first."""

    request_id: RequestId
    model_version: ModelVersion
    as_of: datetime = Field(
        description="When the person's last event in the list happened; when the list was "
        "computed where it is not personal."
    )
    degraded: str | None = Field(
        description="Null, or why the list is worse than it should be: `ranker_unavailable`, "
        "`user_embedding_unavailable`.",
        examples=[None],
    )
    items: list[ListedItemModel]
    after: AfterOutcome | None = Field(
        description="Set where `after` was given.",
        examples=[{"event_id": "c-1", "status": "applied"}],
    )
    next_cursor: str | None = Field(
        description="For the next page, where `cursor` was given. Null: this page is the last, or "
        "1,000 items were shown.",
        examples=[None],
    )
    personal: bool = Field(
        description="Whether the person's own events are in it.", examples=[True]
    )
    not_personal_because: NotPersonalBecause | None = Field(
        description="Null, or why it may not be personal. personalisation_off: the person does not "
        "want it. personalisation_unknown: what they want could not be found out.",
        examples=[None],
    )


class SimilarItems(_Body):
    """The nearest items, nearest first."""

    request_id: RequestId
    model_version: ModelVersion
    items: list[ListedItemModel]


class SimilarUser(_Body):
    """Somebody whose taste is near."""

    user_id: str = Field(examples=["259"])
    score: float = Field(description="The cosine of the two vectors, -1 to 1.", examples=[0.8])


class SimilarUsers(_Body):
    """The nearest people, nearest first."""

    request_id: RequestId
    model_version: ModelVersion
    users: list[SimilarUser]


class StoredItem(NewItem):
    """An item of the catalogue."""

    revision: int = Field(description="Grows by one with each change.")


class ItemRevision(_Body):
    """An item after a change."""

    item_id: str = Field(examples=["n-1"])
    revision: int = Field(description="Grows by one with each change.", examples=[1])


class UpsertedItems(_Body):
    """The items are stored; lists have them within seconds."""

    items: list[ItemRevision] = Field(description="In the order of the request.")


class FieldError(_Body):
    """One field at fault."""

    field: str = Field(description="Its path in the request.", examples=["events[3].value"])
    reason: str = Field(
        description="What would be right.", examples=["a rating needs a value from 1 to 5"]
    )


class Problem(_Body):
    """Why a request was not served (RFC 9457)."""

    type: str = Field(examples=["/docs#invalid-input"])
    title: str = Field(examples=["The request cannot be used"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["events[3].value: a rating needs a value from 1 to 5"])
    request_id: RequestId | None = None
    errors: list[FieldError] | None = Field(
        default=None, description="Each field at fault, where some are."
    )
    event_ids: list[str] | None = Field(
        default=None,
        description="Where events may be stored in part: send all of them again with these ids.",
    )
