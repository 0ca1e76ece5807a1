"""API keys: who may do what. Keys are kept as digests alone and never logged."""

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from headrace.errors import PermissionDenied, Unauthenticated

_SHORTEST = 16
_SCHEME = "bearer "


class Scope(StrEnum):
    """What a key allows."""

    EVENTS = "events"
    """Record events."""
    READ = "read"
    """Read what concerns one person."""
    CATALOGUE = "catalogue"
    """Change items."""
    ADMIN = "admin"
    """Everything."""


class ApiKeys:
    """The keys that are known, by digest, with their scopes."""

    def __init__(self, scopes: Mapping[bytes, frozenset[Scope]]) -> None:
        self._scopes = scopes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `<key>:<scope>+<scope>`, several separated by commas or lines.

        Raises: ValueError that tells which one is wrong by its place, never by the key.
        """
        entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
        if not entries:
            raise ValueError("must hold a key: <key>:<scope>+<scope>, several separated by commas")
        scopes: dict[bytes, frozenset[Scope]] = {}
        for place, entry in enumerate(entries, start=1):
            key, _, granted = entry.rpartition(":")
            if len(key) < _SHORTEST:
                raise ValueError(
                    f"key {place} must have {_SHORTEST} characters or more, then a colon and scopes"
                )
            digest = _digest(key)
            if digest in scopes:
                raise ValueError(f"key {place} is given twice")
            scopes[digest] = _scopes(place, granted)
        return cls(scopes)

    def require(self, authorization: str | None, scope: Scope) -> None:
        """Passes where the header holds a key with `scope`.

        Raises: Unauthenticated, PermissionDenied.
        """
        if authorization is None:
            raise Unauthenticated("no API key was sent; send `Authorization: Bearer <key>`")
        if not authorization.lower().startswith(_SCHEME):
            raise Unauthenticated("the authorization header must be `Bearer <key>`")
        granted = self._scopes.get(_digest(authorization[len(_SCHEME) :].strip()))
        if granted is None:
            raise Unauthenticated("the API key is not known")
        if scope not in granted and Scope.ADMIN not in granted:
            raise PermissionDenied(f"the API key lacks the scope `{scope}`")


def _scopes(place: int, granted: str) -> frozenset[Scope]:
    try:
        return frozenset(Scope(name.strip()) for name in granted.split("+"))
    except ValueError:
        known = ", ".join(Scope)
        raise ValueError(f"key {place}: scopes are {known}, several joined by +") from None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
