"""What the ranker reads from its environment."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from headrace.bundle.scoring import CANDIDATES
from headrace.release.slot import SlotSettings
from headrace.runtime.settings import (
    Address,
    KafkaSettings,
    PeerSettings,
    Port,
    TrendSettings,
)


@dataclass(frozen=True, kw_only=True)
class RankerSettings(SlotSettings, PeerSettings, KafkaSettings, TrendSettings):
    """Settings of one ranker."""

    metrics_port: Port = 9105
    grpc_port: Port = 50054
    user_embedding_address: Address = "127.0.0.1:50052"
    user_embedding_timeout_ms: Annotated[int, Field(ge=1, le=10_000)] = 150
    """For one call; a list is made without the answer then. Half of what the gateway waits."""
    candidates: Annotated[int, Field(ge=1, le=2_000)] = CANDIDATES
    """Retrieved for each list and scored by the head."""
    user_cache_mb: Annotated[int, Field(ge=1, le=100_000)] = 128
    """As the cache counts; the process takes half as much again (docs/capacity.md)."""
    index_exact_up_to: Annotated[int, Field(ge=0)] = 100_000
    """Up to so many items each search compares with all; beyond, it walks an HNSW graph. At 100,000
    comparing takes 1 ms (`python -m bench.index`), half of what a list may take."""
    compute_threads: Annotated[int, Field(ge=1, le=64)] = 2
    """Lists computed at the same time."""
    accuracy_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Of people whose clicks and lists live accuracy looks at; 0: it is off."""
    accuracy_clicks_per_s: Annotated[float, Field(gt=0, le=1_000)] = 2.0
    """About so many are scored, each of which costs what a list costs; beyond, a sample."""
    accuracy_memory_mb: Annotated[int, Field(ge=1, le=10_000)] = 32
    """For people's vectors before their last clicks."""
    accuracy_window_min: Annotated[float, Field(gt=0, le=10_080)] = 30.0
    """How long after it was shown an item may be chosen to count for the list."""
    accuracy_lists: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """Served lists remembered for that; one of 20 items takes 0.8 kB."""
    batch_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of one thread's time, for all streams of `BatchRecommend` together."""
    trending_refresh_s: Annotated[float, Field(gt=0, le=3_600)] = 2.0
    trending_windows_refresh_s: Annotated[float, Field(gt=0, le=3_600)] = 10.0
    """Of what is trending within the last hour, day and week."""
