"""How long a topic keeps what, as the brokers are set, not as it was meant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from headrace.errors import Unavailable
from headrace.runtime.kafka_client import CONNECTION, Kafka, connected

# Brokers look for old segments this often (log.retention.check.interval.ms), and delete files a
# minute after (file.delete.delay.ms); cleaners come round within moments. Doubled.
_ROUNDS = timedelta(minutes=12)
_LONGEST_MS = 100 * 365 * 86_400_000


@dataclass(frozen=True)
class TopicAges:
    """compacted: a tombstone takes its key away. Times without a bound are a hundred years."""

    compacted: bool
    deleted: bool
    kept: timedelta
    segment: timedelta
    compaction_lag: timedelta

    def gone_by(self, now: datetime) -> datetime:
        """When what is in the topic at `now` is gone for good by age."""
        kept = self.kept if self.deleted else timedelta(milliseconds=_LONGEST_MS)
        return now + kept + self.segment + _ROUNDS

    def forgotten_by(self, now: datetime) -> datetime:
        """When what a tombstone of `now` covers is gone for good, by it or by age."""
        return min(self.gone_by(now), now + self.segment + self.compaction_lag + _ROUNDS)


def topic_ages(kafka: Kafka, topics: Sequence[str]) -> Mapping[str, TopicAges]:
    """Raises: Unavailable while Kafka is away."""
    admin = connected(KafkaAdminClient, kafka, **CONNECTION)
    try:
        found = admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics],
            config_filter="all",
        )
    except KafkaError as error:
        raise Unavailable(f"the settings of topics could not be read: {error}") from error
    finally:
        admin.close()
    return {name: _ages(settings) for kind in found.values() for name, settings in kind.items()}


def _ages(settings: Mapping[str, Any]) -> TopicAges:
    policy = str(settings["cleanup.policy"]["value"])
    return TopicAges(
        compacted="compact" in policy,
        deleted="delete" in policy,
        kept=_span(settings, "retention.ms"),
        segment=_span(settings, "segment.ms"),
        compaction_lag=_span(settings, "max.compaction.lag.ms"),
    )


def _span(settings: Mapping[str, Any], name: str) -> timedelta:
    """-1 stands for never."""
    given = int(settings[name]["value"])
    return timedelta(milliseconds=_LONGEST_MS if given < 0 else min(given, _LONGEST_MS))
