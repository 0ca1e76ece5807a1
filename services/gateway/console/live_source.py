"""Topic `interactions` as a source of events as they happen."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from google.protobuf.message import DecodeError

from headrace.api.events.v1.events_pb2 import Interaction
from headrace.contracts.events import EventType
from headrace.errors import Unavailable
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_reader import TopicReader
from headrace.runtime.kafka_records import Message, Record
from headrace.runtime.timestamps import to_moment
from headrace.runtime.topics import INTERACTIONS
from headrace.store.database import Database
from services.gateway.console.live import Deliver, Fail
from services.gateway.console.live_models import LiveEvent

log = logging.getLogger(__name__)

_KNOWN_ITEMS = 10_000
_TYPES = {int(one): one.name.lower() for one in EventType}


class ItemIds:
    """Ids of items by their ordinals, which records have; the ones used last are remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[int, str] = OrderedDict()

    def of(self, ordinals: Iterable[int]) -> dict[int, str]:
        """Those that can be found out now."""
        wanted = set(ordinals)
        missing = [ordinal for ordinal in wanted if ordinal not in self._known]
        if missing:
            try:
                self._read(missing)
            except Unavailable as error:
                log.warning("events are shown without their items: %s", error)
        found = {ordinal: self._known[ordinal] for ordinal in wanted if ordinal in self._known}
        for ordinal in found:
            self._known.move_to_end(ordinal)
        while len(self._known) > _KNOWN_ITEMS:
            self._known.popitem(last=False)
        return found

    def _read(self, ordinals: Sequence[int]) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT ordinal, item_id FROM items WHERE ordinal = ANY(%s)", (list(ordinals),)
            )
            self._known.update(cursor.fetchall())


def interactions(
    bootstrap_servers: Kafka, items: ItemIds, deliver: Deliver, fail: Fail
) -> TopicReader[Interaction | None]:
    """From now on. A record that cannot be read is passed over: others report it."""

    def apply(messages: Sequence[Message[Interaction | None]]) -> None:
        read = [message.body for message in messages if message.body is not None]
        item_ids = items.of(one.item_ordinal for one in read if one.item_ordinal)
        deliver([_event(one, item_ids.get(one.item_ordinal, "")) for one in read])

    return TopicReader(
        bootstrap_servers=bootstrap_servers,
        topic=INTERACTIONS,
        since="now",
        decode=_decode,
        apply=apply,
        publisher=None,
        on_failure=fail,
    )


def _decode(record: Record) -> Interaction | None:
    try:
        message = Interaction.FromString(record.value or b"")
        to_moment(message.occurred_at), to_moment(message.accepted_at)
    except (DecodeError, ValueError):
        return None
    return message


def _event(one: Interaction, item_id: str) -> LiveEvent:
    return LiveEvent(
        event_id=one.event_id,
        user_id=one.user_id,
        n=one.n,
        item_id=item_id,
        type=_TYPES.get(one.type, "unspecified"),
        value=one.value if one.HasField("value") else None,
        occurred_at=to_moment(one.occurred_at),
        accepted_at=to_moment(one.accepted_at) if one.HasField("accepted_at") else None,
        backfill=one.backfill,
    )
