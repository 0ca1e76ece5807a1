"""Hashing of passwords: slow on purpose, so in threads of its own and bounded."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from headrace.errors import Unavailable

R = TypeVar("R")

# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 rounds, 1 lane. 20-30 ms a hash.
_MEMORY_KIB = 19_456
_ROUNDS = 2
_LANES = 1

_THREADS = 2
# Behind two threads the last of so many waits about a second.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right, and whether its hash is of older parameters."""

    right: bool
    outdated: bool = False


class Passwords:
    """Argon2id. Threads release the GIL while they hash."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(_ROUNDS, _MEMORY_KIB, _LANES)
        # What unknown addresses are compared with: the same work, never right.
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Raises: Unavailable where too many wait already."""
        return await self._work(lambda: self._hasher.hash(_normal(password)))

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        """None stands for nobody: never right, after the same work. Raises: as `hash`."""
        compared = password_hash or self._nobody
        right = await self._work(lambda: self._matches(compared, _normal(password)))
        if not right or password_hash is None:
            return Verdict(False)
        return Verdict(True, self._hasher.check_needs_rehash(password_hash))

    def close(self) -> None:
        self._pool.shutdown()

    async def _work(self, work: Callable[[], R]) -> R:
        if self._waiting >= _AT_ONCE:
            raise Unavailable("too many passwords are being checked; try again in a second")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """The same characters however a keyboard composes them (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
