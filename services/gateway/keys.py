"""API keys that the gateway is given at its start. Kept as digests alone and never logged."""

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

_SHORTEST = 16


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
    """The keys of the settings, by digest, with their scopes."""

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
            digest = digest_of(key)
            if digest in scopes:
                raise ValueError(f"key {place} is given twice")
            scopes[digest] = _scopes(place, granted)
        return cls(scopes)

    def scopes_of(self, digest: bytes) -> frozenset[Scope] | None:
        """None: not one of these keys."""
        return self._scopes.get(digest)


def digest_of(secret: str) -> bytes:
    """What is kept of a key or token. A plain hash is enough: they are random and long."""
    return hashlib.sha256(secret.encode()).digest()


def _scopes(place: int, granted: str) -> frozenset[Scope]:
    try:
        return frozenset(Scope(name.strip()) for name in granted.split("+"))
    except ValueError:
        known = ", ".join(Scope)
        raise ValueError(f"key {place}: scopes are {known}, several joined by +") from None
