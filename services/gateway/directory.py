"""API keys and ended sessions as Postgres last told them, in memory.

Checks read it; `directory_feed` fills it every second. So a key that was made or revoked, and a
session that was ended, count here at once and on every other gateway within two seconds. While
Postgres is away what was read last stays: nothing can be revoked then either.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.gateway.keys import Scope


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that was made over the API."""

    key_id: str
    scopes: frozenset[Scope]


class Directory:
    """Safe to read while another thread fills it. clock: Unix time in seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._refreshing = threading.Lock()
        self._keys: Mapping[bytes, StoredKey] = {}
        self._ended: dict[str, float] = {}
        self._used: dict[str, datetime] = {}

    def key(self, digest: bytes) -> StoredKey | None:
        """Notes that it was used."""
        found = self._keys.get(digest)
        if found is not None:
            self._used[found.key_id] = datetime.fromtimestamp(self._clock(), UTC)
        return found

    def ended(self, session: str) -> bool:
        """Whether a session ended before its tokens expired."""
        return session in self._ended

    def refresh_keys(self, read: Callable[[], Mapping[bytes, StoredKey]]) -> None:
        """What `read` returns is valid from now on, and nothing else.

        One at a time: what was read before a change must not replace what was read after it.
        """
        with self._refreshing:
            self._keys = read()

    def end(self, sessions: Iterable[tuple[str, float]]) -> None:
        """Sessions that ended, each with the time from which on none of its tokens is valid."""
        now = self._clock()
        ended = {session: until for session, until in self._ended.items() if until > now}
        ended.update(sessions)
        self._ended = ended

    def take_used(self) -> dict[str, datetime]:
        """When each key was used last since the last call."""
        used, self._used = self._used, {}
        return dict(used)  # copied at once: a check under way may still write to it
