"""Topic `items`: each change gets its vector, unless the process that stored it was faster.

A model that is not live yet has no such process: its vectors are made here. A record says that an
item changed; what is embedded is the item as Postgres has it, so that a record that comes late,
twice or from a stranger cannot bring an older content back.
"""

import time
from collections.abc import Sequence

from headrace.api.catalogue.v1.catalogue_pb2 import ItemChange
from headrace.errors import MalformedRecord
from headrace.runtime.kafka_messages import message_in
from headrace.runtime.kafka_records import Message, Record, Refusal
from services.item_embedding.catalogue import Catalogue
from services.item_embedding.making import VectorMaker
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

    def __init__(self, catalogue: Catalogue, maker: VectorMaker) -> None:
        self._catalogue = catalogue
        self._maker = maker
        self._began_at = time.time()

    def handle(self, batch: Sequence[Message[ItemChange]]) -> list[Refusal]:
        """Raises: Unavailable while Postgres or Kafka is away."""
        left = [message for message in batch if not self._made(message.body)]
        if not left:
            return []
        names = self._catalogue.names({message.body.ordinal for message in left})
        known = [m for m in left if names.get(m.body.ordinal) == m.body.item.item_id]
        self._observe(known, self._maker.make({message.body.ordinal for message in known}))
        return [_unknown(m) for m in left if names.get(m.body.ordinal) != m.body.item.item_id]

    def _made(self, change: ItemChange) -> bool:
        return self._maker.made(change.item.item_id, change.ordinal, change.revision)

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
