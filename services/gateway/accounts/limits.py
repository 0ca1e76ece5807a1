"""How often strangers may try: by address of the network, by e-mail address, by person."""

import logging
import math
import time
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

from headrace.errors import RateLimited

log = logging.getLogger(__name__)

MEMORY = "memory://"


# As the OWASP Authentication Cheat Sheet wants it: a person who mistypes goes on, a machine that
# guesses does not.
GUESSES = RateLimitItemPerMinute(5, 15, "guesses")
"""Log-ins to one e-mail address from one network, until one succeeds."""
GUESSES_FROM_ANYWHERE = RateLimitItemPerHour(100, 1, "guesses-from-anywhere")
"""Log-ins to one e-mail address."""
ATTEMPTS = RateLimitItemPerHour(300, 1, "attempts")
"""Calls from one network that check a password or a mailed token."""
REGISTRATIONS = RateLimitItemPerHour(30, 1, "registrations")
"""From one network."""
MAILS = RateLimitItemPerHour(5, 1, "mails")
"""To one e-mail address."""
VISITS = RateLimitItemPerHour(1_000, 1, "visits")
"""New visits from one network: a school may stand behind it."""
GUESSES_WITHIN = RateLimitItemPerHour(10, 1, "guesses-within")
"""Of a password by somebody who has a token already, perhaps a stolen one."""

EXPORTS = RateLimitItemPerHour(10, 1, "exports")
"""Of a person's data: each reads Kafka from its beginning."""

CHECKS = RateLimitItemPerHour(20, 1, "checks")
"""Of one erasure: each reads Kafka from its beginning."""


class Limits:
    """Counts in moving windows: in this process, or in a Redis that all gateways share.

    While that Redis is away each gateway counts for itself.
    """

    def __init__(self, url: str = MEMORY) -> None:
        self._own = MovingWindowRateLimiter(_storage(MEMORY))
        self._shared = self._own if url == MEMORY else MovingWindowRateLimiter(_storage(url))

    async def take(self, quota: RateLimitItem, whose: str) -> None:
        """Counts one. Raises: RateLimited where the quota is used up."""
        try:
            left = await self._take(self._shared, quota, whose)
        except StorageError as error:
            log.warning("the store of rate limits is away, counting here: %s", error)
            left = await self._take(self._own, quota, whose)
        if left is not None:
            minutes = math.ceil(left / 60)
            raise RateLimited(
                f"too many attempts; try again in {minutes} minute{'s' if minutes > 1 else ''}",
                left,
            )

    async def forgive(self, quota: RateLimitItem, whose: str) -> None:
        """Starts over."""
        try:
            await self._shared.clear(quota, whose)
        except StorageError as error:
            log.warning("the store of rate limits is away, forgiving here: %s", error)
        await self._own.clear(quota, whose)

    async def _take(
        self, limiter: MovingWindowRateLimiter, quota: RateLimitItem, whose: str
    ) -> int | None:
        """Seconds to wait; None where there was one left."""
        if await limiter.hit(quota, whose):
            return None
        window = await limiter.get_window_stats(quota, whose)
        return max(1, math.ceil(window.reset_time - time.time()))


def network(host: str | None) -> str:
    """What one household or machine has: an IPv4 address, the /64 of an IPv6 one."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if isinstance(address, IPv6Address):
        return address.exploded[:19]
    return str(address)


def _storage(url: str) -> Storage:
    options = {"implementation": "redispy"} if url.startswith("redis") else {}
    storage = storage_from_string(f"async+{url}", wrap_exceptions=True, **options)
    assert isinstance(storage, Storage)
    return storage
