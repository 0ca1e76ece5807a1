"""What is told about the ranker."""

from datetime import datetime

from pydantic import Field

from services.gateway.console.models import Told


class ModelFacts(Told):
    """What the model's bundle says of itself."""

    model_version: str = Field(description="It ends the names of its topics.", examples=["ml-100k"])
    created_at: str = Field(description="When it was written.", examples=["2026-01-31T12:00:00Z"])
    width: int = Field(description="D: the width of an item's vector.", examples=[64])
    user_width: int = Field(description="D + T: that of a person's.", examples=[66])
    tower: str = Field(description="The kind of the recurrent network.", examples=["gru"])
    ranking: str = Field(
        description="`ncf`: the head orders candidates. `retrieval`: their nearness does.",
        examples=["ncf"],
    )
    items: int = Field(description="Items of the training data.", examples=[1682])
    metrics: dict[str, float] = Field(description="Figures of the test part, by name.")


class IndexStatus(Told):
    """A vector index: an immutable base, what changed since, and what left it."""

    name: str = Field(
        description="`retrieval`, asked with people's vectors, or `similar`, asked with items'.",
        examples=["retrieval"],
    )
    base: int = Field(description="Vectors in the base.", examples=[1600])
    delta: int = Field(description="Vectors that came or changed since it was built.")
    tombstones: int = Field(description="Vectors of the base, removed or replaced since.")


class ReaderStatus(Told):
    """How far the ranker is behind a topic."""

    topic: str = Field(examples=["item-vectors.ml-100k"])
    caught_up: bool = Field(description="Whether all that it held at the start is in.")
    lag: int | None = Field(
        default=None,
        description="Records before it, as of five seconds ago at most; null: not known yet.",
    )


class RankerStatus(Told):
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


class SystemStatus(Told):
    """How the system is."""

    ranker: RankerStatus = Field(description="Of several, the one that answered.")
