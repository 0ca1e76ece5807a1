"""Keeps the choices up to date from Postgres."""

from datetime import datetime

from headrace.runtime.periodic import Periodic
from headrace.store.database import Database
from services.gateway.privacy.choice_store import ChoiceStore
from services.gateway.privacy.choices import Choices

PERIOD_S = 1.0
_BUSY_SHARE = 0.1


class ChoiceFeed:
    """The first round reads everybody who said no, each later one what changed."""

    def __init__(self, choices: Choices, database: Database) -> None:
        self._choices = choices
        self._store = ChoiceStore(database)
        self._mark: datetime | None = None

    def round(self) -> None:
        """Raises: Unavailable while Postgres is away."""
        changed, self._mark = self._store.changed_since(self._mark)
        self._choices.apply(changed)

    def periodic(self) -> Periodic:
        """Rounds once a second."""
        return Periodic("choices", self.round, PERIOD_S, busy_share=_BUSY_SHARE)
