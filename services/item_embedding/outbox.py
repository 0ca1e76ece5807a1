"""From Postgres to Kafka: whatever is stored and not published yet, oldest ordinal first.

The same work after a change, after a crash and after an outage: what a topic lacks is a matter of
what Postgres says, never of what a process remembers. Each outbox needs a publisher that nobody
else flushes, since a flush tells of every failure once.
"""

from collections.abc import Sequence

from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import ITEMS, item_vectors
from services.item_embedding.catalogue import Catalogue, CatalogueItem, EmbeddedItem, Vectors
from services.item_embedding.encoder import ItemTower
from services.item_embedding.messages import Changes, item_vector

# An item may take 0.1 MB (headrace.contracts.items), a publisher holds 64 MB.
_CHUNK = 500

DELIVERY_TIMEOUT_S = 10.0
"""For the publishers: what Kafka did not take by then is dropped, and published by a later round.

A flush waits longer, so that nothing of a round that failed arrives after the next one.
"""
LINGER_S = 0.05
"""For the publishers: a chunk leaves with its flush, in one request; by default the first record
leaves alone, and others by the 16 kB."""
_FLUSH_TIMEOUT_S = 2 * DELIVERY_TIMEOUT_S


class ChangeOutbox:
    """Topic `items`."""

    def __init__(self, catalogue: Catalogue, publisher: Publisher, changes: Changes) -> None:
        self._catalogue = catalogue
        self._publisher = publisher
        self._changes = changes

    def publish_all(self) -> None:
        """Raises: Unavailable while Postgres or Kafka is away."""
        while self._catalogue.publish_changes(self._publish, _CHUNK) == _CHUNK:
            pass

    def _publish(self, items: Sequence[CatalogueItem]) -> None:
        self._publisher.publish(
            [
                Outgoing(
                    ITEMS,
                    item.content.item_id.encode(),
                    self._changes.of(item).SerializeToString(),
                )
                for item in items
            ]
        )
        self._publisher.flush(_FLUSH_TIMEOUT_S)


class VectorOutbox:
    """Topic `item-vectors.<model version>`."""

    def __init__(
        self, vectors: Vectors, publisher: Publisher, tower: ItemTower, changes: Changes
    ) -> None:
        self._vectors = vectors
        self._publisher = publisher
        self._tower = tower
        self._changes = changes
        self._topic = item_vectors(tower.model_version)

    def publish_all(self) -> None:
        """Raises: Unavailable while Postgres or Kafka is away."""
        while self._vectors.publish(self._publish, _CHUNK) == _CHUNK:
            pass

    def publish_new(self, embedded: Sequence[EmbeddedItem]) -> None:
        """Stores and publishes what was just made, without a way through Postgres.

        Raises: Unavailable while Postgres or Kafka is away.
        """
        for start in range(0, len(embedded), _CHUNK):
            self._vectors.publish_new(embedded[start : start + _CHUNK], self._publish)

    def _publish(self, embedded: Sequence[EmbeddedItem]) -> None:
        tower = self._tower
        self._publisher.publish(
            [
                Outgoing(
                    self._topic,
                    one.item.content.item_id.encode(),
                    item_vector(
                        one, self._changes.of(one.item), tower.model_version, tower.width
                    ).SerializeToString(),
                )
                for one in embedded
            ]
        )
        self._publisher.flush(_FLUSH_TIMEOUT_S)
