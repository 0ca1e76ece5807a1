"""What people did, as topic `interactions` tells it."""

from typing import NamedTuple

from google.protobuf.message import DecodeError

from headrace.api.events.v1.events_pb2 import Interaction
from headrace.contracts.events import EventType
from headrace.runtime.kafka_records import Record

INTEREST = frozenset(
    {
        EventType.VIEW,
        EventType.CLICK,
        EventType.CART,
        EventType.PURCHASE,
        EventType.LIKE,
        EventType.RATING,
    }
)
"""Types by which somebody chose an item: the ones that a list is to foretell."""


class Click(NamedTuple):
    """Entry `n` of a person's log in this epoch.

    ordinal: 0 where it has no item. at: Unix seconds of its acceptance, else of itself.
    """

    user_id: str
    epoch: int
    n: int
    event_id: str
    ordinal: int
    type: int
    at: float
    backfill: bool

    @property
    def before(self) -> tuple[int, int]:
        """The version of the person's vector that knows all but this."""
        return self.epoch, self.n - 1


def read_click(record: Record) -> Click | None:
    """None where the record is no interaction: user_embedding puts it among the dead letters."""
    try:
        message = Interaction.FromString(record.value or b"")
    except DecodeError:
        return None
    if not message.user_id or not message.n:
        return None
    moment = message.accepted_at if message.HasField("accepted_at") else message.occurred_at
    return Click(
        message.user_id,
        message.epoch,
        message.n,
        message.event_id,
        message.item_ordinal,
        message.type,
        moment.seconds + moment.nanos / 1e9,
        message.backfill,
    )
