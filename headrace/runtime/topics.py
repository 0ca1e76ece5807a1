"""Every Kafka topic: its name, and how long it keeps what.

The number of partitions is fixed for life, since the key decides the partition.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from headrace.errors import Unavailable
from headrace.runtime.kafka_client import CONNECTION, Kafka, connected

EVENTS = "events"
INTERACTIONS = "interactions"
ITEMS = "items"
IMPRESSIONS = "impressions"

# A little below what brokers take by default (max.message.bytes, 1,048,588).
RECORD_BYTES = 1_000_000
# Room for a record as large as any, and the headers that say why it is here.
LETTER_BYTES = 2 * 1024 * 1024

_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS
_LETTERS = ".dlq"


def item_vectors(model_version: str) -> str:
    return f"item-vectors.{model_version}"


def user_vectors(model_version: str) -> str:
    return f"user-vectors.{model_version}"


def dead_letters(topic: str) -> str:
    """Where records of `topic` go that cannot be used."""
    return f"{topic}{_LETTERS}"


def holds_dead_letters(topic: str) -> bool:
    """Whether `topic` is one that `dead_letters` names."""
    return topic.endswith(_LETTERS)


def about_people(topic: str) -> bool:
    """Whether records of `topic` may tell of people; dead letters of such topics may, too."""
    origin = topic.removesuffix(_LETTERS)
    return origin in (EVENTS, INTERACTIONS, IMPRESSIONS) or origin.startswith(user_vectors(""))


@dataclass(frozen=True)
class TopicSpec:
    """A topic as it is created."""

    name: str
    partitions: int
    settings: dict[str, str] = field(default_factory=dict)


def _kept(days: float) -> dict[str, str]:
    """Kafka deletes whole segments, once the newest record in one is too old: without a bound on
    how long a segment is written to, a record would outlive its time by a week."""
    segment = min(_HOUR_MS, days * _DAY_MS / 6)
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(int(days * _DAY_MS)),
        "segment.ms": str(int(segment)),
    }


def _forgettable(days: float) -> dict[str, str]:
    """As `_kept`, and a tombstone takes its key away within a day: an erasure writes them."""
    return {
        **_kept(days),
        "cleanup.policy": "compact,delete",
        "max.compaction.lag.ms": str(_DAY_MS),
    }


_COMPACTED = {"cleanup.policy": "compact"}


def topic_specs(model_version: str, partitions: int) -> list[TopicSpec]:
    """The topics of the system and of one model version."""
    flowing = [
        TopicSpec(EVENTS, partitions, _kept(days=7)),
        TopicSpec(INTERACTIONS, partitions, _kept(days=1)),
        TopicSpec(ITEMS, partitions, _COMPACTED),
        TopicSpec(item_vectors(model_version), partitions, _COMPACTED),
        TopicSpec(user_vectors(model_version), partitions, _forgettable(days=1 / 24)),
    ]
    shown = [TopicSpec(IMPRESSIONS, partitions, _forgettable(days=7))]
    refused = [
        # Compacted as well: a letter found again replaces itself, a replayed one disappears.
        TopicSpec(
            dead_letters(spec.name),
            1,
            {
                **_forgettable(days=14),
                "max.message.bytes": str(LETTER_BYTES),
            },
        )
        for spec in flowing
    ]
    return flowing + shown + refused


def create_topics(
    kafka: Kafka, model_version: str, partitions: int = 4, replication: int = 1
) -> list[str]:
    """Creates the topics that are missing; those that exist stay as they are.

    Returns: names of the topics created now, each of them ready for use.
    Raises: Unavailable where Kafka does not answer, or does not let us in.
    """
    with _admin(kafka, "created") as admin:
        present = set(admin.list_topics())
        return [
            spec.name
            for spec in topic_specs(model_version, partitions)
            if spec.name not in present and _created(admin, spec, replication)
        ]


def delete_model_topics(kafka: Kafka, model_version: str) -> list[str]:
    """Deletes what only that model version reads and writes, with its dead letters.

    Returns: names of the topics that were there. Raises: Unavailable.
    """
    names = [item_vectors(model_version), user_vectors(model_version)]
    with _admin(kafka, "deleted") as admin:
        present = set(admin.list_topics())
        found = [n for name in names for n in (name, dead_letters(name)) if n in present]
        if found:
            admin.delete_topics(found)
        return found


def topic_names(kafka: Kafka) -> set[str]:
    """Of all topics. Raises: Unavailable where Kafka does not answer."""
    with _admin(kafka, "listed") as admin:
        return set(admin.list_topics())


@contextmanager
def _admin(kafka: Kafka, what: str) -> Iterator[KafkaAdminClient]:
    """what: is done to topics, for errors. Raises: Unavailable where Kafka does not answer."""
    admin = connected(KafkaAdminClient, kafka, **CONNECTION)
    try:
        yield admin
    except KafkaError as error:
        raise Unavailable(f"Kafka topics could not be {what}: {error}") from error
    finally:
        admin.close()


def _created(admin: KafkaAdminClient, spec: TopicSpec, replication: int) -> bool:
    """False where somebody else created the topic in the meantime."""
    described = {
        "num_partitions": spec.partitions,
        "replication_factor": replication,
        "configs": spec.settings,
    }
    try:
        admin.create_topics({spec.name: described}, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        return False
    return True
