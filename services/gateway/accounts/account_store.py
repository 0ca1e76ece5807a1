"""Accounts and wishes for one, in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.store.database import Database
from services.gateway.accounts.session_store import end_sessions
from services.gateway.tokens import ACCESS_S

_OF_AGE_BAND = 3  # categories


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can log in."""

    user_id: str
    email: str
    password_hash: str
    name: str
    role: str
    age_band: str | None
    interests: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Registration:
    """A wish for an account; `email_key` is the address in lower case."""

    email: str
    email_key: str
    password_hash: str
    name: str


class AccountStore:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_email(self, email_key: str) -> Account | None:
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT user_id, email, password_hash, name, role, age_band, interests, created_at"
                " FROM accounts WHERE email_key = %s",
                (email_key,),
            )
            return _account(cursor.fetchone())

    def interests(self, user_id: str) -> tuple[str, ...]:
        """What they named, or else what their age band chooses more than others do."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT CASE WHEN cardinality(a.interests) > 0 THEN a.interests ELSE ARRAY("
                " SELECT b.category FROM age_band_categories b WHERE b.age_band = a.age_band"
                " ORDER BY b.score DESC, b.category LIMIT %s) END"
                " FROM accounts a WHERE a.user_id = %s",
                (_OF_AGE_BAND, user_id),
            )
            row = cursor.fetchone()
            return tuple(row[0]) if row else ()

    def by_id(self, user_id: str) -> Account | None:
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT user_id, email, password_hash, name, role, age_band, interests, created_at"
                " FROM accounts WHERE user_id = %s",
                (user_id,),
            )
            return _account(cursor.fetchone())

    def register(self, digest: bytes, wish: Registration, seconds: int) -> None:
        """Keeps a wish for so long; forgets those whose time is over."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "DELETE FROM registrations WHERE digest IN (SELECT digest FROM registrations"
                " WHERE expires_at < now() LIMIT 100 FOR UPDATE SKIP LOCKED);"
                "INSERT INTO registrations (digest, email, email_key, password_hash, name,"
                " expires_at) VALUES (%s, %s, %s, %s, %s, now() + make_interval(secs => %s))",
                (digest, wish.email, wish.email_key, wish.password_hash, wish.name, seconds),
            )

    def registration(self, digest: bytes) -> Registration | None:
        """The wish under this token, if its time is not over."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT email, email_key, password_hash, name FROM registrations"
                " WHERE digest = %s AND expires_at > now()",
                (digest,),
            )
            row = cursor.fetchone()
        return None if row is None else Registration(*row)

    def confirm(self, digest: bytes, user_id: str, role: str) -> Account | None:
        """Makes the account of a wish, and forgets all wishes of its address.

        None: there is no such wish, or the address has an account.
        """
        with self._database.transaction() as cursor:
            # One at a time an address: two wishes for it would wait for each other's rows.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(email_key, 0))"
                " FROM registrations WHERE digest = %s",
                (digest,),
            )
            cursor.execute(
                "DELETE FROM registrations WHERE digest = %s AND expires_at > now()"
                " RETURNING email, email_key, password_hash, name",
                (digest,),
            )
            row = cursor.fetchone()
            if row is None:
                return None
            email, email_key, password_hash, name = row
            cursor.execute(
                "INSERT INTO accounts (user_id, email, email_key, password_hash, name, role)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (email_key) DO NOTHING"
                " RETURNING user_id, email, password_hash, name, role, age_band, interests,"
                " created_at",
                (user_id, email, email_key, password_hash, name, role),
            )
            account = _account(cursor.fetchone())
            cursor.execute("DELETE FROM registrations WHERE email_key = %s", (email_key,))
        return account

    def rehash(self, user_id: str, old_hash: str, new_hash: str) -> None:
        """The same password under newer parameters; not where it was changed meanwhile."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE accounts SET password_hash = %s WHERE user_id = %s AND password_hash = %s",
                (new_hash, user_id, old_hash),
            )

    def change_password(self, user_id: str, old_hash: str, new_hash: str) -> bool:
        """Ends every sign-in and recovery. False: another change came first."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE accounts SET password_hash = %s WHERE user_id = %s AND password_hash = %s",
                (new_hash, user_id, old_hash),
            )
            if cursor.rowcount == 0:
                return False
            _end_everything(cursor, user_id)
        return True

    def add_recovery(self, digest: bytes, user_id: str, seconds: int) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(
                "DELETE FROM recoveries WHERE digest IN (SELECT digest FROM recoveries"
                " WHERE expires_at < now() LIMIT 100 FOR UPDATE SKIP LOCKED);"
                # Not where the person is erased at this moment.
                "INSERT INTO recoveries (digest, user_id, expires_at)"
                " SELECT %s, user_id, now() + make_interval(secs => %s)"
                " FROM accounts WHERE user_id = %s FOR KEY SHARE",
                (digest, seconds, user_id),
            )

    def reset_password(self, digest: bytes, new_hash: str) -> str | None:
        """Uses up a recovery, and ends every sign-in and other recovery.

        Returns: the account's address; None where the recovery is not valid.
        """
        with self._database.transaction() as cursor:
            # The account first, as everywhere: two recoveries would wait for each other's rows.
            cursor.execute(
                "SELECT FROM accounts JOIN recoveries USING (user_id) WHERE digest = %s"
                " FOR UPDATE OF accounts",
                (digest,),
            )
            cursor.execute(
                "DELETE FROM recoveries WHERE digest = %s AND expires_at > now() RETURNING user_id",
                (digest,),
            )
            row = cursor.fetchone()
            if row is None:
                return None
            (user_id,) = row
            cursor.execute(
                "UPDATE accounts SET password_hash = %s WHERE user_id = %s RETURNING email",
                (new_hash, user_id),
            )
            updated = cursor.fetchone()
            _end_everything(cursor, user_id)
        return None if updated is None else str(updated[0])

    def set_profile(
        self, user_id: str, name: str, age_band: str | None, interests: Sequence[str]
    ) -> Account | None:
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE accounts SET name = %s, age_band = %s, interests = %s WHERE user_id = %s"
                " RETURNING user_id, email, password_hash, name, role, age_band, interests,"
                " created_at",
                (name, age_band, list(interests), user_id),
            )
            return _account(cursor.fetchone())

    def set_role(self, email_key: str, role: str) -> Account | None:
        """Ends every sign-in where the role changes: tokens carry it."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE accounts SET role = %(role)s WHERE email_key = %(key)s AND role <> %(role)s"
                " RETURNING user_id",
                {"role": role, "key": email_key},
            )
            changed = cursor.fetchone()
            if changed is not None:
                _end_everything(cursor, changed[0])
        return self.by_email(email_key)


def _end_everything(cursor: Any, user_id: str) -> None:
    cursor.execute("DELETE FROM recoveries WHERE user_id = %s", (user_id,))
    cursor.execute(
        "UPDATE sign_ins SET ended_at = now() WHERE user_id = %s AND ended_at IS NULL"
        " RETURNING sign_in_id",
        (user_id,),
    )
    end_sessions(cursor, [sign_in for (sign_in,) in cursor.fetchall()], ACCESS_S)


def _account(row: Any) -> Account | None:
    if row is None:
        return None
    user_id, email, password_hash, name, role, age_band, interests, created_at = row
    return Account(
        user_id=user_id,
        email=email,
        password_hash=password_hash,
        name=name,
        role=role,
        age_band=age_band,
        interests=tuple(interests),
        created_at=created_at,
    )
