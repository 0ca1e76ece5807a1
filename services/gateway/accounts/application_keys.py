"""What may be done with API keys."""

import asyncio
import secrets
from collections.abc import Sequence

from headrace.errors import FailedPrecondition, NotFound
from services.gateway.accounts.key_store import KeyRecord, KeyStore
from services.gateway.directory import Directory
from services.gateway.keys import Scope, digest_of

MOST_KEYS = 10_000
"""Every gateway holds all of them in memory."""


class ApplicationKeys:
    """Makes, shows and revokes keys. What changes counts at once on this gateway."""

    def __init__(self, store: KeyStore, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    async def create(
        self, name: str, scopes: Sequence[Scope], created_by: str
    ) -> tuple[KeyRecord, str]:
        """The key's record and the key, which nobody can read again.

        Raises: FailedPrecondition where there are too many; Unavailable.
        """
        key = f"hr_{secrets.token_urlsafe(32)}"
        key_id = f"key_{secrets.token_hex(6)}"
        return await asyncio.to_thread(self._create, key_id, key, name, scopes, created_by), key

    async def all(self) -> list[KeyRecord]:
        """Newest first, revoked ones too. Raises: Unavailable."""
        return await asyncio.to_thread(self._store.all)

    async def revoke(self, key_id: str) -> KeyRecord:
        """Other gateways refuse the key within two seconds. Raises: NotFound, Unavailable."""
        return await asyncio.to_thread(self._revoke, key_id)

    def _create(
        self, key_id: str, key: str, name: str, scopes: Sequence[Scope], created_by: str
    ) -> KeyRecord:
        if len(self._store.valid()) >= MOST_KEYS:
            raise FailedPrecondition(f"there are {MOST_KEYS} keys; revoke those not in use")
        made = self._store.add(key_id, digest_of(key), name, scopes, created_by)
        self._directory.refresh_keys(self._store.valid)
        return made

    def _revoke(self, key_id: str) -> KeyRecord:
        revoked = self._store.revoke(key_id)
        if revoked is None:
            raise NotFound(f"there is no key {key_id!r}")
        self._directory.refresh_keys(self._store.valid)
        return revoked
