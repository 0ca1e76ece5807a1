"""Lists as records of a Kafka topic, keyed by person."""

from __future__ import annotations

import hashlib
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.ranker.v1.ranker_pb2 import SOURCE_RETRIEVAL, PersonList, RankedItem
from headrace.batch.items import ItemArrays
from headrace.batch.lists import Lists, lengths
from headrace.batch.people import People
from headrace.errors import FailedPrecondition
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import topic_names


class TopicWriter:
    """Publishes lists as `headrace.api.ranker.v1.PersonList`: ids, scores, no titles."""

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

        Raises: Unavailable where Kafka did not take one: send all of them again.
        """
        moment = Timestamp()
        moment.FromDatetime(as_of)
        digest, places = hashlib.sha256(), 0
        for person, (user_id, count) in enumerate(
            zip(people.user_ids.tolist(), lengths(lists).tolist(), strict=True)
        ):
            rows, scores = lists.rows[person, :count], lists.scores[person, :count]
            value = PersonList(
                user_id=user_id,
                as_of=moment,
                items=[
                    RankedItem(item_id=item_id, score=score, source=SOURCE_RETRIEVAL)
                    for item_id, score in zip(
                        items.ids[rows].tolist(), scores.tolist(), strict=True
                    )
                ],
            ).SerializeToString(deterministic=True)
            digest.update(value)
            places += count
            self._publisher.publish([Outgoing(self._topic, user_id.encode(), value)])
        self._publisher.flush()
        return places, digest.hexdigest()
