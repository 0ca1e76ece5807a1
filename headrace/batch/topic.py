"""Lists as records of a Kafka topic, keyed by person."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np

from headrace.api.ranker.v1.ranker_pb2 import PersonList, RankedItem
from headrace.batch.items import ItemArrays
from headrace.batch.lists import Lists, lengths
from headrace.batch.people import People
from headrace.errors import FailedPrecondition
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.timestamps import to_timestamp
from headrace.runtime.topics import topic_names


class TopicWriter:
    """Publishes lists as `headrace.api.ranker.v1.PersonList`: ids, scores, sources, no titles."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        """Raises: Unavailable where Kafka is away; FailedPrecondition where it lacks the topic."""
        if topic not in topic_names(kafka):
            raise FailedPrecondition(f"Kafka has no topic {topic!r}: create it first")
        self._publisher = Publisher(kafka)
        self._topic = topic

    def close(self) -> None:
        self._publisher.close()

    def write(
        self, people: People, lists: Lists, items: ItemArrays, as_of: datetime
    ) -> tuple[int, str]:
        """Returns once Kafka has all of them: the number of places, and a sha256 of the values.

        as_of: of lists that are not personal.
        Raises: Unavailable where Kafka did not take one: send all of them again.
        """
        digest, places = hashlib.sha256(), 0
        for person, count in enumerate(lengths(lists).tolist()):
            value = _message(people, lists, items, as_of, person=person, count=count)
            digest.update(value)
            places += count
            key = people.user_ids[person].encode()
            self._publisher.publish([Outgoing(self._topic, key, value)])
        self._publisher.flush()
        return places, digest.hexdigest()


def _message(
    people: People, lists: Lists, items: ItemArrays, as_of: datetime, *, person: int, count: int
) -> bytes:
    n, last_at = int(people.n[person]), people.last_at[person]
    moment = datetime.fromtimestamp(last_at, UTC) if n and np.isfinite(last_at) else as_of
    return PersonList(
        user_id=people.user_ids[person],
        as_of=to_timestamp(moment),
        n_applied=n,
        items=[
            RankedItem(item_id=item_id, score=score, source=source)
            for item_id, score, source in zip(
                items.ids[lists.rows[person, :count]].tolist(),
                lists.scores[person, :count].tolist(),
                lists.sources[person, :count].tolist(),
                strict=True,
            )
        ],
    ).SerializeToString(deterministic=True)
