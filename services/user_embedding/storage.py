"""What the decisions need from storage. `state_store` and `log_store` have it in Postgres.

Every method raises Unavailable while it cannot be done.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.user_embedding.interactions import EventStatus, Page
from services.user_embedding.states import UserState


class States(Protocol):
    """The states of one model version."""

    def load(self, user_ids: Sequence[str]) -> Mapping[str, UserState]:
        """The stored states by person; people without one are absent."""
        ...

    def page(self, after: str, active_since: datetime | None, limit: int) -> Sequence[UserState]:
        """States of people with ids behind `after`, in their order, at most `limit`.

        active_since: of those alone who did something then or later. None: who did anything.
        """
        ...

    def save(self, states: Sequence[UserState]) -> set[str]:
        """Stores states, except where a later or the same one is there, or the person was erased
        since.

        Returns: the people whose state was written.
        """
        ...


class Logs(Protocol):
    """The people's logs."""

    def position(self, user_id: str) -> tuple[int, int]:
        """(epoch, n) of a person's log; (0, 0) where there is none."""
        ...

    def pages(self, states: Sequence[UserState], limit: int) -> Mapping[str, Page]:
        """What follows on each state, at most `limit` entries a person.

        People without a log are absent.
        """
        ...

    def erased(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Those of these people who were erased, with the first epoch after."""
        ...

    def opted_out(self, user_ids: Sequence[str]) -> set[str]:
        """Those of these people who do not want personal lists."""
        ...

    def event(self, user_id: str, event_id: str) -> tuple[EventStatus, int]:
        """What became of an event, and its number in the log, 0 where it has none."""
        ...
