"""What people did, as it stands in their logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from headrace.contracts.events import EventType


class Interaction(NamedTuple):
    """Entry `n` of a person's log in this `epoch`; `type` is a number of EventType.

    item_ordinal: 0 where it has no item. value: of a rating 1 to 5, of other types an amount, if
    any. category: what is not wanted, where that is no item. retracted: the person took it back.
    """

    user_id: str
    epoch: int
    n: int
    event_id: str
    item_ordinal: int
    type: int
    occurred_at: datetime
    accepted_at: datetime | None
    backfill: bool
    value: float | None = None
    category: str = ""
    retracted: bool = False

    @property
    def stands(self) -> bool:
        """Whether anything follows from it: not from what was taken back, nor from taking back.

        Such entries keep their places in the log, so that none is missing.
        """
        return not self.retracted and self.type != EventType.RETRACTION

    @property
    def tells(self) -> bool:
        """Whether it tells of the person's taste: not where it only says what not to show."""
        return self.stands and self.type != EventType.NOT_INTERESTED

    @property
    def rating(self) -> float:
        """1 to 5; 0: none."""
        return self.value or 0.0 if self.type == EventType.RATING else 0.0

    @property
    def position(self) -> tuple[int, int]:
        """Of two entries of one person the greater position is the later."""
        return self.epoch, self.n


class Arrival(NamedTuple):
    """An interaction and the Kafka partition that it came from."""

    interaction: Interaction
    partition: int


@dataclass(frozen=True)
class Page:
    """A stretch of one person's log, in order, from where the reader stood.

    epoch: of the log now. Where it is not the reader's, the page begins with the log.
    more: whether the log may go on.
    """

    user_id: str
    epoch: int
    entries: Sequence[Interaction]
    more: bool


@dataclass(frozen=True)
class Mark:
    """A place among the logs in order of their last change."""

    updated_at: datetime
    user_id: str = ""


class EventStatus(Enum):
    """What became of an event."""

    APPLIED = "applied"
    PENDING = "pending"
    WAITING_FOR_ITEM = "waiting_for_item"
    REFUSED = "refused"
    UNKNOWN = "unknown"
