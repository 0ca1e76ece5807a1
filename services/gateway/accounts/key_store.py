"""API keys in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.store.database import Database
from services.gateway.directory import StoredKey
from services.gateway.keys import Scope


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known about a key; the key itself is not."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyStore:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, key_id: str, digest: bytes, name: str, scopes: Sequence[Scope], created_by: str
    ) -> KeyRecord:
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO api_keys (key_id, digest, name, scopes, created_by)"
                " VALUES (%s, %s, %s, %s, %s)"
                " RETURNING key_id, name, scopes, created_at, created_by, last_used_at, revoked_at",
                (key_id, digest, name, [str(scope) for scope in scopes], created_by),
            )
            return _record(cursor.fetchone())

    def all(self) -> list[KeyRecord]:
        """Newest first, revoked ones too."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT key_id, name, scopes, created_at, created_by, last_used_at, revoked_at"
                " FROM api_keys ORDER BY created_at DESC, key_id"
            )
            return [_record(row) for row in cursor.fetchall()]

    def revoke(self, key_id: str) -> KeyRecord | None:
        """The first revocation counts. None: no such key."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())"
                " WHERE key_id = %s"
                " RETURNING key_id, name, scopes, created_at, created_by, last_used_at, revoked_at",
                (key_id,),
            )
            row = cursor.fetchone()
        return None if row is None else _record(row)

    def valid(self) -> dict[bytes, StoredKey]:
        """Those that are not revoked, by digest."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT digest, key_id, scopes FROM api_keys WHERE revoked_at IS NULL")
            return {
                bytes(digest): StoredKey(key_id, frozenset(Scope(name) for name in scopes))
                for digest, key_id, scopes in cursor.fetchall()
            }

    def touch(self, used: Mapping[str, datetime]) -> None:
        """Notes when keys were used, each at most once a minute."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE api_keys AS k SET last_used_at = date_trunc('minute', u.at)"
                " FROM unnest(%s::text[], %s::timestamptz[]) AS u (key_id, at)"
                " WHERE k.key_id = u.key_id"
                " AND coalesce(k.last_used_at < date_trunc('minute', u.at), true)",
                (list(used.keys()), list(used.values())),
            )


def _record(row: Any) -> KeyRecord:
    key_id, name, scopes, created_at, created_by, last_used_at, revoked_at = row
    return KeyRecord(
        key_id=key_id,
        name=name,
        scopes=tuple(Scope(scope) for scope in scopes),
        created_at=created_at,
        created_by=created_by,
        last_used_at=last_used_at,
        revoked_at=revoked_at,
    )
