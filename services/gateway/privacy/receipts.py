"""Receipts of erasures: what their holders can prove, and nobody else find out.

The service keeps a hash of the receipt alone. Who shows it again proves what was asked to be
erased, and when; from the hash nobody learns whom it is about, since the code in it is random.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson


@dataclass(frozen=True, slots=True)
class Receipt:
    """visits: those that had become the person's, erased with them. code: known to nobody else."""

    erasure_id: str
    user_id: str
    visits: tuple[str, ...]
    requested_at: datetime
    code: str

    def digest(self) -> bytes:
        """32 bytes."""
        moment = self.requested_at.astimezone(UTC)
        told = [self.erasure_id, self.user_id, self.visits, moment, self.code]
        return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_UTC_Z)).digest()

    def matches(self, digest: bytes) -> bool:
        return hmac.compare_digest(self.digest(), digest)


def new_receipt(user_id: str, visits: Sequence[str], requested_at: datetime) -> Receipt:
    return Receipt(
        f"er_{secrets.token_hex(16)}",
        user_id,
        tuple(visits),
        requested_at,
        secrets.token_urlsafe(32),
    )
