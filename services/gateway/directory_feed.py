"""Keeps the directory up to date from Postgres."""

from datetime import datetime

from headrace.runtime.periodic import Periodic
from headrace.store.database import Database
from services.gateway.accounts.key_store import KeyStore
from services.gateway.accounts.session_store import SessionStore
from services.gateway.directory import Directory

PERIOD_S = 1.0
# Reading 10,000 keys takes 30 ms; more make rounds rarer instead of the gateway slower.
_BUSY_SHARE = 0.1
_FORGET_EVERY = 600  # rounds


class DirectoryFeed:
    """One round reads keys and ended sessions, and writes when keys were used."""

    def __init__(self, directory: Directory, database: Database) -> None:
        self._directory = directory
        self._keys = KeyStore(database)
        self._sessions = SessionStore(database)
        self._mark: datetime | None = None
        self._rounds = 0

    def round(self) -> None:
        """Raises: Unavailable while Postgres is away."""
        self._directory.refresh_keys(self._keys.valid)
        ended, self._mark = self._sessions.ended_since(self._mark)
        self._directory.end(ended)
        if used := self._directory.take_used():
            self._keys.touch(used)
        self._rounds += 1
        if self._rounds % _FORGET_EVERY == 0:
            self._sessions.forget()

    def periodic(self) -> Periodic:
        """Rounds once a second."""
        return Periodic("directory", self.round, PERIOD_S, busy_share=_BUSY_SHARE)
