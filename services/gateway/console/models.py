"""What is told about lists. These models are answered as they are, and describe the answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from headrace.contracts.identifiers import Identifier
from services.gateway.history.models import HistoryEntryModel
from services.gateway.lists import Source
from services.gateway.models import ListedItemModel, Recommendations, StoredItem


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


def _lower(name: object) -> object:
    return name.removeprefix("SOURCE_").lower() if isinstance(name, str) else name


SourceName = Annotated[Source, BeforeValidator(_lower)]


class NamedItem(_Told):
    """An item by its name."""

    item_id: str = Field(examples=["50"])
    title: str = Field(examples=["Star Wars (1977)"])


class InspectedPerson(_Told):
    """What is known of the person, or of the visit."""

    n: int = Field(description="Number of the last event in the vector; 0: there is none.")
    epoch: int = Field(description="Grows when the log is rebuilt or erased.")
    has_vector: bool = Field(description="Whether there is a vector to look for candidates with.")
    seen: int = Field(description="Items that the person is done with.")
    recent: list[NamedItem] = Field(
        description="Items last touched, at most 50, those of the visit among them; latest first."
    )
    last_occurred_at: datetime | None = Field(
        default=None, description="When the last event in the vector happened."
    )


class InspectedStep(_Told):
    """What one step did."""

    name: str = Field(
        description="What narrows the catalogue: `hidden` (deleted, not yet published, expired), "
        "`category`, `filter`, `seen`, `not_interested`, `exclude` (with the items of the visit "
        "and of the request), `shown` (on pages before), `vanished` (hidden while the list was "
        "made). What arranges the candidates: `boost[0]` and so on, `pin`, `max_per_category`, "
        "`diversity`, `explore`; each only where the request has it.",
        examples=["seen"],
    )
    kept: int = Field(description="Items, or candidates, that it left.", examples=[1676])
    removed: int = Field(description="Items, or candidates, that it took.", examples=[6])
    moved: int = Field(description="Candidates that it gave another place.", examples=[0])
    examples: list[NamedItem] = Field(
        description="At most 5 of those it took or moved, the likeliest to be shown first."
    )


class FoundBy(_Told):
    """What a source found."""

    source: SourceName
    found: int = Field(description="Candidates.", examples=[300])
    shown: int = Field(description="How many of them are in the list.", examples=[20])


class InspectedCandidate(_Told):
    """An item that the list could have held."""

    item: NamedItem
    categories: list[str] = Field(examples=[["Action", "Adventure"]])
    source: SourceName = Field(description="What found it.")
    retrieval_rank: int = Field(
        description="Its place among what is nearest, from 1. 0: it was not found by its vector."
    )
    retrieval_score: float | None = Field(
        default=None, description="The product of the vectors, bias included."
    )
    rank: int = Field(
        description="Its place in the order of the head, from 1; without a head in that of its "
        "source."
    )
    score: float = Field(description="As in the list, before boosts.", examples=[0.31])
    boosted_score: float | None = Field(
        default=None, description="After boosts; null where the request has none."
    )
    boosted_rank: int = Field(
        description="Its place by that, from 1; 0 where the request has no boosts."
    )
    place: int = Field(description="Its place in the list, from 1; 0: it is not there.")
    left_out: list[str] = Field(
        description="Why not: the names of steps that passed over it, `vanished`, `pin` (a pin has "
        "its place), or `rank` (others are better).",
        examples=[["max_per_category"]],
    )


class Inspection(_Told):
    """How a list came about."""

    person: InspectedPerson | None = Field(
        default=None,
        description="Null where the list is for nobody, or user_embedding is away.",
    )
    steps: list[InspectedStep] = Field(description="In the order in which they count.")
    sources: list[FoundBy] = Field(description="What found the candidates, most first.")
    candidates: list[InspectedCandidate] = Field(
        description="The best 200, and all that are in the list or were passed over; best first, "
        "after boosts."
    )
    found: int = Field(description="Candidates in all.", examples=[300])


class ModelFacts(_Told):
    """What the model's bundle says of itself."""

    model_version: str = Field(description="It ends the names of its topics.")
    created_at: str = Field(description="When it was written.")
    width: int = Field(description="D: the width of an item's vector.", examples=[64])
    user_width: int = Field(description="D + T: that of a person's.", examples=[66])
    tower: str = Field(description="The kind of the recurrent network.", examples=["gru"])
    ranking: str = Field(
        description="`ncf`: the head orders candidates. `retrieval`: their nearness does."
    )
    items: int = Field(description="Items of the training data.", examples=[1682])
    metrics: dict[str, float] = Field(description="Figures of the test part, by name.")


class IndexStatus(_Told):
    """A vector index: an immutable base, what changed since, and what left it."""

    name: str = Field(
        description="`retrieval`, asked with people's vectors, or `similar`, asked with items'."
    )
    base: int = Field(description="Vectors in the base.", examples=[1600])
    delta: int = Field(description="Vectors that came or changed since it was built.")
    tombstones: int = Field(description="Vectors of the base, removed or replaced since.")


class ReaderStatus(_Told):
    """How far the ranker is behind a topic."""

    topic: str
    caught_up: bool = Field(description="Whether all that it held at the start is in.")
    lag: int | None = Field(
        default=None,
        description="Records before it, as of five seconds ago at most; null: not known yet.",
    )


class RankerStatus(_Told):
    """What a ranker has loaded, and how it is."""

    model: ModelFacts
    started_at: datetime = Field(description="When the process began.")
    items_known: int = Field(description="Items that it heard of, deleted ones included.")
    items_shown: int = Field(description="Items that may be shown now.")
    indexes: list[IndexStatus]
    people: int = Field(description="People's vectors in memory.")
    people_bytes: int = Field(description="What they take.")
    people_max_bytes: int = Field(
        description="What they may take; beyond, the least recently used go."
    )
    filters: int = Field(description="Filters that are kept evaluated.")
    trending_items: int = Field(description="Items that are trending.")
    trending_loaded_at: datetime | None = Field(
        default=None, description="When that was last read; null: not yet."
    )
    readers: list[ReaderStatus] = Field(description="The topics that it follows.")


class SystemStatus(_Told):
    """How the system is."""

    ranker: RankerStatus = Field(description="Of several, the one that answered.")


Visibility = Literal["visible", "deleted", "not_yet", "expired"]
Window = Literal["hour", "day", "week"]


class ItemState(_Told):
    """An item as the catalogue keeps it, hidden or not."""

    item_id: str = Field(examples=["50"])
    title: str = Field(examples=["Star Wars (1977)"])
    revision: int = Field(description="Grows by one with each change.")
    updated_at: datetime = Field(description="When it was changed last.")
    visibility: Visibility = Field(
        description="not_yet: before its `publish_at`. expired: after its `expire_at`."
    )


class ShownAndChosen(_Told):
    """What became of an item within a window that ends now."""

    window: Window
    impressions: int = Field(
        description="Places in lists that were served, of hours that began within the window.",
        examples=[120],
    )
    events: int = Field(
        description="What people did with it, dislikes and imports left out.", examples=[7]
    )


class InspectedItem(_Told):
    """What is known about an item."""

    state: ItemState
    item: StoredItem | None = Field(description="Its content. Null where it is hidden.")
    in_lists: bool = Field(description="Whether the ranker has it, and may show it.")
    similar: list[ListedItemModel] = Field(description="The nearest items, nearest first.")
    windows: list[ShownAndChosen] = Field(description="Hour, day and week.")


LiveType = Literal[
    "view", "click", "cart", "purchase", "like", "dislike", "rating", "retraction", "unspecified"
]


class LiveEvent(_Told):
    """An entry of somebody's log, just after it got its number."""

    event_id: str = Field(examples=["c-1"])
    user_id: str = Field(examples=["259"])
    n: int = Field(description="Its number in the person's log.", examples=[17])
    item_id: str = Field(
        description="Empty where it has none, as taking back, or it could not be found out.",
        examples=["50"],
    )
    type: LiveType = Field(description="`retraction`: an earlier entry was taken back.")
    value: float | None = Field(description="Rating or amount.")
    occurred_at: datetime
    accepted_at: datetime | None = Field(description="By the gateway; null for imports.")
    backfill: bool = Field(description="Whether it is history that is imported.")


class WatchQuery(BaseModel):
    """Which events to show as they happen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Identifier | None = Field(default=None, description="Of this person alone.")
    type: Annotated[list[LiveType], Field(max_length=9)] = Field(
        default_factory=list, description="Of these types; none: of all."
    )

    def wants(self, event: LiveEvent) -> bool:
        of_them = self.user_id is None or event.user_id == self.user_id
        return of_them and (not self.type or event.type in self.type)


class InspectedList(_Told):
    """A list, and how it came about."""

    list: Recommendations
    inspection: Inspection
    events: Sequence[HistoryEntryModel] = Field(
        description="The last 50 entries of the person's history, latest first; none where the "
        "list is for nobody."
    )
    interests: Sequence[str] = Field(
        description="Categories that the person named as interests and whose lists took the places "
        "in turn, since nothing is known from their own events yet."
    )
