"""What looking into the system gives: plain frozen dataclasses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from headrace.client.models import (
    EventType,
    HistoryEntry,
    Item,
    ListedItem,
    Recommendations,
    Source,
)
from headrace.contracts.list_kinds import Window

LiveType = EventType | Literal["retraction", "unspecified"]
Visibility = Literal["visible", "deleted", "not_yet", "expired"]


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item by its name."""

    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class InspectedPerson:
    """What is known of the person, or of the visit.

    n: number of the last event in the vector; 0: there is none. epoch: grows when the log is
    rebuilt or erased. seen: items that the person is done with. recent: items last touched, those
    of the visit among them, latest first.
    """

    n: int
    epoch: int
    has_vector: bool
    seen: int
    recent: tuple[NamedItem, ...]
    last_occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class InspectedStep:
    """What one step did; docs/console.md has their names.

    kept: items or candidates that it left. removed: those it took. moved: those it gave another
    place. examples: at most 5 of them, the likeliest to be shown first.
    """

    name: str
    kept: int
    removed: int
    moved: int
    examples: tuple[NamedItem, ...]


@dataclass(frozen=True, slots=True)
class FoundBy:
    """How many candidates a source found, and how many of them are in the list."""

    source: Source
    found: int
    shown: int


@dataclass(frozen=True, slots=True)
class InspectedCandidate:
    """An item that the list could have held. Ranks and places count from 1; 0: it has none.

    retrieval_score: None where it was not found by its vector. score: before boosts.
    boosted_score: None where there are no boosts. left_out: why it is not in the list.
    """

    item: NamedItem
    categories: tuple[str, ...]
    source: Source
    retrieval_rank: int
    retrieval_score: float | None
    rank: int
    score: float
    boosted_score: float | None
    boosted_rank: int
    place: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InspectedList:
    """A list, and how it came about.

    person: None where the list is for nobody. candidates: the best 200 of `found`, and all that are
    in the list or were passed over. events: the person's last 50, latest first. interests:
    categories whose lists took the places of somebody who is new.
    """

    recommendations: Recommendations
    person: InspectedPerson | None
    steps: tuple[InspectedStep, ...]
    sources: tuple[FoundBy, ...]
    candidates: tuple[InspectedCandidate, ...]
    found: int
    events: tuple[HistoryEntry, ...]
    interests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownAndChosen:
    """What became of an item within a window that ends now. impressions: places in lists, of hours
    that began within it. events: what people did with it, dislikes and imports left out."""

    window: Window
    impressions: int
    events: int


@dataclass(frozen=True, slots=True)
class InspectedItem:
    """What is known about an item. item: None where it is hidden. in_lists: whether the ranker has
    it, and may show it. similar: the 12 nearest. windows: hour, day and week."""

    item_id: str
    title: str
    revision: int
    updated_at: datetime
    visibility: Visibility
    item: Item | None
    in_lists: bool
    similar: tuple[ListedItem, ...]
    windows: tuple[ShownAndChosen, ...]


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An entry of somebody's log, just after it got its number. item_id: empty where it has none.
    accepted_at: None for imports, as `backfill` says."""

    event_id: str
    user_id: str
    n: int
    item_id: str
    type: LiveType
    value: float | None
    occurred_at: datetime
    accepted_at: datetime | None
    backfill: bool


@dataclass(frozen=True, slots=True)
class LiveEvents:
    """What came since the last. dropped: events that were lost before, since they were not taken
    in time. With neither it is a sign of life."""

    events: tuple[LiveEvent, ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the model's bundle says of itself. width: of an item's vector; user_width: of a
    person's. ranking: `ncf` or `retrieval`, what orders candidates. metrics: of the test part."""

    model_version: str
    created_at: str
    width: int
    user_width: int
    tower: str
    ranking: str
    items: int
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """A vector index: its base, what came or changed since, and what of the base left it."""

    name: str
    base: int
    delta: int
    tombstones: int


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """How far the ranker is behind a topic. lag: records; None where that is not known yet."""

    topic: str
    caught_up: bool
    lag: int | None


@dataclass(frozen=True, slots=True)
class RankerStatus:
    """What a ranker has loaded, and how it is.

    people: whose vectors are in memory, `people_bytes` of `people_max_bytes`. filters: that are
    kept evaluated. trending_loaded_at: None where it is not yet.
    """

    model: ModelFacts
    started_at: datetime
    items_known: int
    items_shown: int
    indexes: tuple[IndexStatus, ...]
    people: int
    people_bytes: int
    people_max_bytes: int
    filters: int
    trending_items: int
    trending_loaded_at: datetime | None
    readers: tuple[ReaderStatus, ...]
