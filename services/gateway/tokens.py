"""Signed tokens: who somebody is, readable without a look-up.

JSON Web Tokens under HMAC-SHA256. The first key signs, all of them verify, so a new key is added
behind the others, moved to the front once every gateway has it, and the old one is taken away when
what it signed has expired.
"""

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import jwt

from headrace.errors import Unauthenticated

ACCESS_S = 600
"""How long an access token lives: a stolen one is worth this much, and a refresh costs little."""
VISIT_S = 86_400

_ALGORITHM = "HS256"
_ISSUER = "headrace"
# Verifying takes 60 µs, and a browser sends its token with every call. 1 kB each.
_REMEMBERED = 10_000
_SHORTEST_SECRET = 32  # bytes: RFC 7518, 3.2, as many as the hash has
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Kind(StrEnum):
    """What a token is for. One is never taken for the other."""

    ACCESS = "access"
    """Of somebody who is logged in."""
    VISIT = "visit"
    """Of somebody who looks around without an account."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says.

    person: whose data it opens. session: what ends it early: the sign-in, or the visit itself.
    role: `shopper`, `merchandiser` or `operator`; empty for a visit.
    """

    kind: Kind
    person: str
    session: str
    role: str = ""


class Tokens:
    """Signs and reads tokens. clock: Unix time in seconds."""

    def __init__(self, secrets: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        """secrets: by key id; the first one signs."""
        self._secrets = {key_id: secret.encode() for key_id, secret in secrets.items()}
        self._signs = next(iter(secrets))
        self._clock = clock
        self._known: dict[str, tuple[Claims, float]] = {}

    @classmethod
    def parse(cls, text: str, clock: Callable[[], float] = time.time) -> Self:
        """Reads `<key id>:<secret>`, several separated by commas or lines.

        Raises: ValueError that tells which one is wrong by its place, never by the secret.
        """
        secrets: dict[str, str] = {}
        entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
        for place, entry in enumerate(entries, start=1):
            key_id, _, secret = entry.partition(":")
            if not _KEY_ID.fullmatch(key_id) or len(secret.encode()) < _SHORTEST_SECRET:
                raise ValueError(
                    f"key {place} must be <key id>:<secret>, the id 1 to 32 letters or digits, "
                    f"the secret {_SHORTEST_SECRET} characters or more"
                )
            if key_id in secrets:
                raise ValueError(f"key {place} has the id of an earlier one")
            secrets[key_id] = secret
        if not secrets:
            raise ValueError("must hold a key: <key id>:<secret>, several separated by commas")
        return cls(secrets, clock)

    def sign(self, claims: Claims, seconds: int) -> str:
        """A token that lives so long."""
        now = int(self._clock())
        body: dict[str, Any] = {
            "iss": _ISSUER,
            "typ": str(claims.kind),
            "sub": claims.person,
            "sid": claims.session,
            "iat": now,
            "exp": now + seconds,
        }
        if claims.role:
            body["role"] = claims.role
        secret = self._secrets[self._signs]
        return jwt.encode(body, secret, _ALGORITHM, headers={"kid": self._signs})

    def read(self, token: str, late_s: int = 0) -> Claims:
        """late_s: how long after its end a token still counts.

        Raises: Unauthenticated for what is expired or was not signed here.
        """
        known = self._known.get(token)
        if known is None:
            known = self._verified(token)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[token] = known
        claims, expires = known
        if expires + late_s <= self._clock():
            raise Unauthenticated("the token has expired; get a new one with the refresh token")
        return claims

    def drop(self, token: str) -> None:
        """Forgets that a token was verified."""
        self._known.pop(token, None)

    def forget(self, people: Collection[str]) -> int:
        """Returns: how many tokens of theirs were remembered."""
        theirs = [token for token, (claims, _) in self._known.items() if claims.person in people]
        return sum(self._known.pop(token, None) is not None for token in theirs)

    def forget_everybody(self) -> None:
        self._known.clear()

    def _verified(self, token: str) -> tuple[Claims, float]:
        """What a token says that was signed here, and until when."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            secret = self._secrets.get(key_id) if isinstance(key_id, str) else None
            if secret is None:
                raise Unauthenticated("the token was signed with a key that is not known here")
            body = jwt.decode(
                token,
                secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                # Its own clock cannot be set: expiry is checked below.
                options={"require": ["exp", "sub", "sid", "typ"], "verify_exp": False},
            )
            claims = Claims(Kind(body["typ"]), body["sub"], body["sid"], body.get("role", ""))
            return claims, float(body["exp"])
        except (jwt.InvalidTokenError, ValueError, TypeError) as error:
            raise Unauthenticated("the token is not valid") from error
