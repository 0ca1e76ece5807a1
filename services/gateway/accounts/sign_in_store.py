"""Sign-ins and their refresh tokens, in Postgres."""

from enum import Enum
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.store.database import Database
from services.gateway.accounts.session_store import end_sessions
from services.gateway.tokens import ACCESS_S


class Rotation(Enum):
    """What came of an attempt to use a refresh token."""

    ROTATED = "rotated"
    UNKNOWN = "unknown"
    """Never issued, expired, or of a sign-in that has ended."""
    REUSED = "reused"
    """It was used long before: its sign-in is ended now."""


class Refreshed(NamedTuple):
    """`sign_in_id` is empty where nothing is known; user_id and role are set where it rotated."""

    rotation: Rotation
    sign_in_id: str = ""
    user_id: str = ""
    role: str = ""


class SignInStore:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self, sign_in_id: str, user_id: str, password_hash: str, digest: bytes, seconds: int
    ) -> bool:
        """A new sign-in with its first refresh token.

        False: the password that opened the door was changed meanwhile. Without this check, who
        guessed the old one would stay signed in.
        """
        with self._database.transaction() as cursor:
            cursor.execute(
                "DELETE FROM sign_ins WHERE sign_in_id IN (SELECT sign_in_id FROM sign_ins"
                " WHERE expires_at < now() LIMIT 100 FOR UPDATE SKIP LOCKED)"
            )
            cursor.execute(
                "INSERT INTO sign_ins (sign_in_id, user_id, expires_at)"
                " SELECT %s, user_id, now() + make_interval(secs => %s)"
                " FROM accounts WHERE user_id = %s AND password_hash = %s FOR SHARE",
                (sign_in_id, seconds, user_id, password_hash),
            )
            if cursor.rowcount == 0:
                return False
            _issue(cursor, digest, sign_in_id)
        return True

    def rotate(self, digest: bytes, next_digest: bytes, seconds: int, again_s: int) -> Refreshed:
        """Uses up a refresh token and issues the next one of its sign-in.

        again_s: seconds after its first use in which another one brings tokens as well.
        """
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT s.sign_in_id, s.user_id, a.role,"
                " coalesce(t.used_at < now() - make_interval(secs => %s), false),"
                " s.ended_at IS NULL AND s.expires_at > now()"
                " FROM refresh_tokens t JOIN sign_ins s USING (sign_in_id)"
                " JOIN accounts a USING (user_id) WHERE t.digest = %s FOR UPDATE OF t, s",
                (again_s, digest),
            )
            row = cursor.fetchone()
            if row is None:
                return Refreshed(Rotation.UNKNOWN)
            sign_in_id, user_id, role, used_up, lives = row
            if used_up:
                _end(cursor, sign_in_id)
                return Refreshed(Rotation.REUSED, sign_in_id)
            if not lives:
                return Refreshed(Rotation.UNKNOWN)
            cursor.execute(
                "UPDATE refresh_tokens SET used_at = coalesce(used_at, now()) WHERE digest = %s",
                (digest,),
            )
            cursor.execute(
                "UPDATE sign_ins SET expires_at = now() + make_interval(secs => %s)"
                " WHERE sign_in_id = %s",
                (seconds, sign_in_id),
            )
            _issue(cursor, next_digest, sign_in_id)
        return Refreshed(Rotation.ROTATED, sign_in_id, user_id, role)

    def end(self, digest: bytes, *, everywhere: bool) -> list[str]:
        """Ends the sign-in of a refresh token, or all of its person. Returns those ended."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE sign_ins AS s SET ended_at = now()"
                " FROM refresh_tokens t JOIN sign_ins own USING (sign_in_id)"
                " WHERE t.digest = %(digest)s AND own.ended_at IS NULL AND s.ended_at IS NULL"
                " AND (s.sign_in_id = own.sign_in_id"
                " OR (%(everywhere)s AND s.user_id = own.user_id))"
                " RETURNING s.sign_in_id",
                {"digest": digest, "everywhere": everywhere},
            )
            ended = [sign_in for (sign_in,) in cursor.fetchall()]
            end_sessions(cursor, ended, ACCESS_S)
        return ended


def _issue(cursor: Cursor, digest: bytes, sign_in_id: str) -> None:
    cursor.execute(
        "INSERT INTO refresh_tokens (digest, sign_in_id) VALUES (%s, %s)", (digest, sign_in_id)
    )


def _end(cursor: Cursor, sign_in_id: str) -> None:
    cursor.execute(
        "UPDATE sign_ins SET ended_at = coalesce(ended_at, now()) WHERE sign_in_id = %s",
        (sign_in_id,),
    )
    end_sessions(cursor, [sign_in_id], ACCESS_S)
