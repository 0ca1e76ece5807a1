"""Settings of user_embedding."""

from dataclasses import dataclass
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field

from headrace.contracts.events import EventType, EventTypeName
from headrace.release.slot import SlotSettings
from headrace.runtime.settings import (
    Address,
    KafkaSettings,
    PeerSettings,
    Port,
)


def _event_types(names: object) -> object:
    if not isinstance(names, str):
        return names
    types = set()
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name.lower() not in get_args(EventTypeName):
            right = ", ".join(get_args(EventTypeName))
            raise ValueError(f"{name!r} is no type of event; right are {right}, with commas")
        types.add(EventType[name.upper()])
    return frozenset(types)


EventTypes = Annotated[frozenset[EventType], BeforeValidator(_event_types)]


@dataclass(frozen=True, kw_only=True)
class UserEmbeddingSettings(SlotSettings, PeerSettings, KafkaSettings):
    """Read from `HEADRACE_*`."""

    metrics_port: Port = 9103
    grpc_port: Port = 50052
    item_embedding_address: Address = "127.0.0.1:50053"
    """Asked for the vectors of items that Kafka has not brought yet."""
    state_cache_mb: Annotated[int, Field(ge=1, le=65_536)] = 128
    """Memory for states; one takes about 6 kB."""
    seen_types: EventTypes = frozenset(
        {EventType.PURCHASE, EventType.LIKE, EventType.DISLIKE, EventType.RATING}
    )
    """Types of event that keep the item out of the person's lists, separated by commas."""
    sweep_period_s: Annotated[float, Field(gt=0, le=600)] = 5.0
    """Time between two looks for states that are behind their logs."""
    sweep_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of one thread's time, for bringing them up to date: a new model's all, beside live lists."""
