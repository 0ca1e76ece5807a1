"""What a system of some size needs, from what one person, item, event and list cost."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.capacity.costs import Costs
from headrace.runtime.topics import topic_specs
from services.ranker.settings import RankerSettings
from services.user_embedding.settings import UserEmbeddingSettings

CONSUMERS = ("event_ingest", "user_embedding")
SCALED = ("gateway", "ranker", *CONSUMERS)
# Of one core, which is about what one process computes on. Beyond, requests wait for each other.
BUSY = 0.6
DISK_USED = 0.8
"""Of a volume at most: Kafka and Postgres stop where theirs is full."""
# While one is released, people and items have states, vectors and topics of two.
MODELS = 2
_OF_A_MODEL = ("item_vectors", "user_states")
_DAY_S = 86_400
_MODEL = "MODEL"
# Resident with 1,682 items and hardly anybody cached: `python -m bench.memory`.
_RANKER = 160e6
_USER_EMBEDDING = 190e6
# `python -m bench.live_accuracy`.
_ACCURACY = 75e6
# What waits for Kafka (headrace/runtime/kafka_publisher.py).
_PUBLISHER = 64e6
# Each of two HNSW graphs adds 260 bytes a vector (`python -m bench.index --sizes 200000`), and is
# built beside the one before.
_GRAPHS = 2 * 260
_BUILT_BESIDE = 1.25


@dataclass(frozen=True, kw_only=True)
class Load:
    """history: events in the log. events_per_s, lists_per_s: when busiest."""

    people: int
    items: int
    history: int
    events_per_s: float
    lists_per_s: float


PRODUCTION = Load(
    people=1_000_000,
    items=100_000,
    history=1_500_000_000,
    events_per_s=2_000,
    lists_per_s=1_000,
)
"""What the overlay `production` is sized for: tests/integration/deploy/test_capacity.py."""


class Need(NamedTuple):
    what: str
    amount: float
    unit: str

    def __str__(self) -> str:
        if self.unit == "bytes":
            return f"{self.amount / 1e9:,.1f} GB"
        return f"{self.amount:,.1f} {self.unit}" if self.unit else f"{self.amount:,.0f}"


def needs(costs: Costs, load: Load) -> Sequence[Need]:
    """Raises: ValueError where rankers cannot follow so many events."""
    counted = processes(costs, load)
    return [
        *(Need(f"{name}: processes", count, "") for name, count in counted.items()),
        Need("partitions, at least", max(counted[name] for name in CONSUMERS), ""),
        *(
            Need(f"{name}: CPU", _cores(costs, load, name), "cores")
            for name in ("kafka", "postgres")
        ),
        Need("each ranker: memory", ranker_memory(costs, load), "bytes"),
        Need("each user_embedding: memory", user_embedding_memory(costs), "bytes"),
        Need("Postgres", sum(size for _, size in postgres(costs, load)), "bytes"),
        *(Need(f"Postgres: {what}", size, "bytes") for what, size in postgres(costs, load)),
        Need("Postgres: what a day adds", load.events_per_s * _DAY_S * _log(costs), "bytes"),
        Need("Kafka, each replica", sum(size for _, size in kafka(costs, load)), "bytes"),
        *(Need(f"Kafka: {topic}", size, "bytes") for topic, size in kafka(costs, load)),
    ]


def processes(costs: Costs, load: Load) -> dict[str, int]:
    """By service. Two are there for when one goes."""
    counts = {name: _cores(costs, load, name) / BUSY for name in SCALED}
    # Each ranker reads every person's vector, whoever asks it for lists.
    followed = load.events_per_s * costs.followed
    if followed >= BUSY:
        most = BUSY / costs.followed
        raise ValueError(f"{load.events_per_s:,.0f} events/s: a ranker follows {most:,.0f} at most")
    counts["ranker"] = (_cores(costs, load, "ranker") - followed) / (BUSY - followed)
    return {name: max(2, math.ceil(counts[name])) for name in SCALED}


def ranker_memory(costs: Costs, load: Load) -> float:
    """Bytes of each, with the settings' defaults."""
    each, beside = costs.memory["item"], 1.0
    if load.items > RankerSettings.index_exact_up_to:
        each, beside = each + _GRAPHS, _BUILT_BESIDE
    people = _cached(costs, "ranker", RankerSettings.user_cache_mb)
    return _RANKER + beside * load.items * each + people + _ACCURACY


def user_embedding_memory(costs: Costs) -> float:
    """Bytes of each, with the settings' defaults."""
    people = _cached(costs, "user_embedding", UserEmbeddingSettings.state_cache_mb)
    return _USER_EMBEDDING + people + _PUBLISHER


def postgres(costs: Costs, load: Load) -> Sequence[tuple[str, float]]:
    """Bytes of a server's volume by what they are of."""
    return [
        ("items", load.items * _rows(costs.tables["item"])),
        ("people", load.people * _rows(costs.tables["person"])),
        ("log", load.history * _log(costs)),
    ]


def kafka(costs: Costs, load: Load) -> Sequence[tuple[str, float]]:
    """Bytes of each topic, of one replica."""
    return [(topic, _of_models(topic) * size) for topic, size in _topics(costs, load)]


def _topics(costs: Costs, load: Load) -> Iterator[tuple[str, float]]:
    """Compacted: the last of each key, and about as much that is not compacted yet. Others: the
    busiest hour for as long as records are kept, since a bad week must not fill a broker's disk."""
    specs = {spec.name: spec.settings for spec in topic_specs(_MODEL, partitions=1)}
    for topic, size in costs.topics["item"].items():
        yield topic, 2 * load.items * size
    for each, a_second in (("click", load.events_per_s), ("list", load.lists_per_s)):
        for topic, size in costs.topics[each].items():
            kept_s = int(specs[topic]["retention.ms"]) / 1_000
            yield topic, a_second * kept_s * size


def _cores(costs: Costs, load: Load, name: str) -> float:
    return load.events_per_s * costs.cpu["click"][name] + load.lists_per_s * costs.cpu["list"][name]


def _rows(tables: Mapping[str, float]) -> float:
    """Bytes of what stands in all of them."""
    return sum((MODELS if table in _OF_A_MODEL else 1) * size for table, size in tables.items())


def _log(costs: Costs) -> float:
    return costs.tables["event"]["interactions"]


def _cached(costs: Costs, service: str, cache_mb: int) -> float:
    """What a cache takes that is full by its own count."""
    person = f"person in {service}"
    return cache_mb * 1e6 * costs.memory[person] / costs.counted[person]


def _of_models(topic: str) -> int:
    return MODELS if topic.endswith(f".{_MODEL}") else 1
