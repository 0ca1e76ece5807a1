"""Topic `items`: each change gets its vector. Persist, then publish, then commit.

A record says that an item changed; what is embedded is the item as Postgres has it, so that a
record that comes late, twice or from a stranger cannot bring an older content back.
"""

import time
from collections.abc import Callable, Sequence

from headrace.api.catalogue.v1.catalogue_pb2 import ItemChange
from headrace.errors import MalformedRecord
from headrace.runtime.kafka_messages import message_in
from headrace.runtime.kafka_records import Message, Record, Refusal
from services.item_embedding.catalogue import Catalogue, Vectors
from services.item_embedding.encoder import ItemTower, embed
from services.item_embedding.metrics import ITEM_VECTOR_SECONDS


def group(model_version: str) -> str:
    """The consumer group: a new model version reads the topic from its beginning."""
    return f"item_embedding.{model_version}"


def decode(record: Record) -> ItemChange:
    """Raises: MalformedRecord. A record without value too: items are hidden, not removed."""
    change = message_in(record, ItemChange)
    missing = [
        name
        for name, value in (
            ("item.item_id", change.item.item_id),
            ("ordinal", change.ordinal),
            ("revision", change.revision),
        )
        if not value
    ]
    if missing:
        raise MalformedRecord("incomplete", f"an ItemChange without {', '.join(missing)}")
    return change


class ChangeHandler:
    """Gives the items of a batch their vectors."""

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: Vectors,
        tower: ItemTower,
        publish_vectors: Callable[[], None],
    ) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._tower = tower
        self._publish_vectors = publish_vectors
        self._began_at = time.time()

    def handle(self, batch: Sequence[Message[ItemChange]]) -> list[Refusal]:
        """Raises: Unavailable while Postgres or Kafka is away."""
        names = self._catalogue.names({message.body.ordinal for message in batch})
        known = [m for m in batch if names.get(m.body.ordinal) == m.body.item.item_id]
        lacking = self._vectors.lacking({message.body.ordinal for message in known})
        if lacking:
            self._vectors.save(embed(self._tower, lacking))
        self._publish_vectors()
        self._observe(known, {item.ordinal for item in lacking})
        return [_unknown(m) for m in batch if names.get(m.body.ordinal) != m.body.item.item_id]

    def _observe(self, known: Sequence[Message[ItemChange]], embedded: set[int]) -> None:
        now = time.time()
        for message in known:
            changed_at = message.record.timestamp_ms / 1000
            if message.body.ordinal in embedded and changed_at >= self._began_at:
                ITEM_VECTOR_SECONDS.observe(now - changed_at)


def _unknown(message: Message[ItemChange]) -> Refusal:
    change = message.body
    return Refusal(
        message.record,
        "unknown_item",
        f"the catalogue has no item {change.item.item_id!r} with ordinal {change.ordinal}",
    )
