"""What is told about lists. The console's models describe answers, and are answered as they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.gateway.history.models import HistoryEntryModel
from services.gateway.lists import Source
from services.gateway.models import Recommendations


class Told(BaseModel):
    """Answered as it is."""

    model_config = ConfigDict(frozen=True)


def _lower(name: object) -> object:
    return name.removeprefix("SOURCE_").lower() if isinstance(name, str) else name


SourceName = Annotated[Source, BeforeValidator(_lower)]


class NamedItem(Told):
    """An item by its name."""

    item_id: str = Field(examples=["50"])
    title: str = Field(examples=["Star Wars (1977)"])


class InspectedPerson(Told):
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


class InspectedStep(Told):
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


class FoundBy(Told):
    """What a source found."""

    source: SourceName
    found: int = Field(description="Candidates.", examples=[300])
    shown: int = Field(description="How many of them are in the list.", examples=[20])


class InspectedCandidate(Told):
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


class Inspection(Told):
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


class InspectedList(Told):
    """A list, and how it came about."""

    list: Recommendations
    inspection: Inspection
    events: Sequence[HistoryEntryModel] = Field(
        description="The last 50 entries of the person's history, latest first; none where the "
        "list is for nobody."
    )
    interests: Sequence[str] = Field(
        examples=[[]],
        description="Categories that the person named as interests and whose lists took the places "
        "in turn, since nothing is known from their own events yet.",
    )
