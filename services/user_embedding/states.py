"""A person's state under one model."""

from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from headrace.index.encoding import Vector


@dataclass(frozen=True, slots=True, eq=False)
class UserState:
    """Where a person stands after entry `n` of their log. Never changed, only replaced.

    Shapes: state [S], vector [D]. The vector is zeros until a first step was taken.
    """

    user_id: str
    epoch: int
    n: int
    state: Vector
    vector: Vector
    recent_ordinals: tuple[int, ...]
    """The last items touched, oldest first, at most `memory.RECENT_ITEMS`."""
    seen: BitMap
    """Ordinals not to be shown again. Shared between states: never change it in place."""
    recent_event_ids: tuple[str, ...]
    """Oldest first, at most `memory.RECENT_EVENTS`."""
    last_occurred_at: datetime | None
    """Of the last interaction that was not taken back."""
    last_accepted_at: datetime | None
    """None where the last interaction was an import or came past the gateway."""
    unwanted: BitMap
    """Ordinals that the person wants in no list. As `seen`, never change it in place."""
    unwanted_categories: tuple[str, ...]
    """The one said last at the end, at most `memory.UNWANTED_CATEGORIES`."""

    @property
    def position(self) -> tuple[int, int]:
        """Of two states of one person the greater position is the later."""
        return self.epoch, self.n

    @property
    def blank(self) -> bool:
        """Whether nothing happened yet that stands, in the log or in a visit."""
        return self.last_occurred_at is None and not self.recent_ordinals
