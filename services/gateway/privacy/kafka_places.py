"""What Kafka has of people: looked for by key and content, and forgotten where it can be.

A tombstone takes a record away from a compacted topic. Topics that keep everything until it is old
forget by age alone: nobody reads what they hold of the erased, and it is gone by a time that
follows from the topic's own settings.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Record
from headrace.runtime.kafka_scan import Scanned, scan
from headrace.runtime.people_in_records import PeopleFilter
from headrace.runtime.topic_ages import TopicAges, topic_ages
from headrace.runtime.topics import about_people
from services.gateway.privacy.erasure_store import Place

# Of one topic in one erasure: keys are kept in memory.
_MOST_RECORDS = 200_000
_CHUNK = 1_000


class KafkaPlaces:
    """Every method reads whole topics, and raises Unavailable while Kafka is away."""

    def __init__(self, kafka: Kafka, deadline_s: float) -> None:
        self._servers = kafka
        self._deadline_s = deadline_s

    def find(self, mine: PeopleFilter, most: int = _MOST_RECORDS) -> Sequence[Scanned]:
        return scan(self._servers, about_people, mine, deadline_s=self._deadline_s, most=most)

    def forget(self, people: Iterable[str]) -> list[Place]:
        """Writes tombstones where they count. Returns: what becomes of each topic."""
        scanned = self.find(PeopleFilter(list(people)))
        ages = topic_ages(self._servers, [one.topic for one in scanned])
        keys = {
            one.topic: {record.key or b"" for record in one.found}
            for one in scanned
            if ages[one.topic].compacted and one.found
        }
        if keys:
            self._write_tombstones(keys)
        return [self._after_forgetting(one, ages[one.topic]) for one in scanned]

    def look(self, people: Iterable[str]) -> list[Place]:
        """What each topic has now."""
        scanned = self.find(PeopleFilter(list(people)))
        ages = topic_ages(self._servers, [one.topic for one in scanned])
        return [self._found(one, ages[one.topic]) for one in scanned]

    def _write_tombstones(self, keys: dict[str, set[bytes]]) -> None:
        publisher = Publisher(self._servers, delivery_timeout_s=30)
        try:
            for topic, theirs in keys.items():
                ordered = sorted(theirs)
                for start in range(0, len(ordered), _CHUNK):
                    chunk = ordered[start : start + _CHUNK]
                    publisher.publish([Outgoing(topic, key, None) for key in chunk])
                    publisher.flush()
        finally:
            publisher.close()

    def _after_forgetting(self, scanned: Scanned, ages: TopicAges) -> Place:
        place, count = f"kafka/{scanned.topic}", len(scanned.found)
        if not count and not scanned.forgotten:
            return Place(place, "gone", 0)
        if ages.compacted:
            return Place(place, "forgotten", count, ages.forgotten_by(datetime.now(UTC)))
        return Place(place, "expires", count, ages.gone_by(_newest(scanned.found)))

    def _found(self, scanned: Scanned, ages: TopicAges) -> Place:
        place, count = f"kafka/{scanned.topic}", len(scanned.found)
        if count and ages.compacted:
            return Place(place, "found", count)
        if count:
            return Place(place, "expires", count, ages.gone_by(_newest(scanned.found)))
        if scanned.forgotten:
            return Place(place, "forgotten", 0, ages.forgotten_by(datetime.now(UTC)))
        return Place(place, "gone", 0)


def _newest(records: Sequence[Record]) -> datetime:
    return datetime.fromtimestamp(max(one.timestamp_ms for one in records) / 1_000, UTC)
