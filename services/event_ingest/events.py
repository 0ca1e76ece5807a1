"""An event on its way into the log: as it was given, as it was checked, as it is numbered."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from headrace.contracts.events import EventType

Key = tuple[str, str]
"""(user_id, event_id): what identifies an event."""


@dataclass(frozen=True, slots=True)
class GivenEvent:
    """What a record says, unchecked. Absent text is empty, an absent type 0."""

    key: bytes | None
    """The record's key: decides the partition, hence the order."""
    user_id: str
    event_id: str
    item_id: str
    type: int
    value: float | None
    occurred_at: datetime | None
    accepted_at: datetime | None
    backfill: bool
    retracts: str = ""
    category: str = ""
    written_at: datetime | None = None
    """When the record was first written."""


@dataclass(frozen=True, slots=True)
class Event:
    """A checked event."""

    user_id: str
    event_id: str
    item_id: str
    type: EventType
    value: float | None
    occurred_at: datetime
    accepted_at: datetime | None
    backfill: bool
    body_hash: bytes
    """16 bytes; the same for each repetition of the event."""
    retracts: str = ""
    """Of a retraction: the event that it takes back."""
    category: str = ""
    """What it is about, where it is about no item."""

    @property
    def key(self) -> Key:
        return self.user_id, self.event_id

    @property
    def target(self) -> Key | None:
        """What a retraction takes back: always of the same person."""
        return (self.user_id, self.retracts) if self.retracts else None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its person's log, at position `n` = 1, 2, 3, ... `item_ordinal`: 0 where it has
    no item."""

    user_id: str
    epoch: int
    n: int
    event_id: str
    item_ordinal: int
    type: EventType
    value: float | None
    occurred_at: datetime
    accepted_at: datetime | None
    backfill: bool
    body_hash: bytes
    category: str = ""
    retracted: bool = False

    @property
    def stands(self) -> bool:
        """Whether it can be taken back."""
        return not self.retracted and self.type is not EventType.RETRACTION


def body_hash(
    subject: str, kind: EventType, value: float | None, occurred_at: datetime | None
) -> bytes:
    """16 bytes over what a repetition must repeat.

    subject: the item, the event that is taken back, or NUL and the category. occurred_at: as the
    sender gave it. Where they gave none it is not part of the body: a retry through the gateway is
    accepted at another time.
    """
    moment = occurred_at.isoformat() if occurred_at else ""
    # No id holds a control character, so NUL cannot occur within a part.
    body = f"{subject}\0{int(kind)}\0{value!r}\0{moment}"
    return blake2b(body.encode(), digest_size=16).digest()
