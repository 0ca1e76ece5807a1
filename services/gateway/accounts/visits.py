"""Visits without an account, and what becomes of them when the visitor logs in.

A visitor is a person like any other: an id in the log, and a token that opens its data. On log-in
the visit is claimed, and its events are sent through the event log once more: as the person's, at
their own times, marked as history so that they count for the person alone and not again for what is
trending. Their ids follow from the old ones, so however often that is interrupted and done again,
each counts once. What is still on its way into the visitor's log follows when it arrives.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from headrace.errors import Unauthenticated
from headrace.runtime.periodic import Periodic
from services.gateway.accounts.limits import VISITS, Limits
from services.gateway.accounts.visit_store import VisitEvent, VisitStore
from services.gateway.tokens import VISIT_S, Claims, Kind, Tokens

log = logging.getLogger(__name__)

VISITOR_PREFIX = "v_"
"""Begins the id of everybody without an account whom a gateway gave one."""

RENEWABLE_S = 30 * 86_400
"""So long after it expired a visit's token can still be renewed: the visitor came back."""

PERIOD_S = 2.0
_AT_ONCE = 1_000  # events in one round: a few hundred kB
_MERGE_WAIT_S = 1.0
_BUSY_SHARE = 0.1

Send = Callable[[Sequence[VisitEvent]], Awaitable[None]]
"""Puts events into the log as the person's. Returns once they are safe. Raises: Unavailable."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor, and the token that opens their data."""

    visitor_id: str
    token: str


class Visits:
    """Begins visits and hands them over. `origin` is as in `Accounts`."""

    def __init__(self, store: VisitStore, tokens: Tokens, limits: Limits, send: Send) -> None:
        self._store = store
        self._tokens = tokens
        self._limits = limits
        self._send = send
        self._merging: Periodic | None = None

    def start(self) -> None:
        """Merges claimed visits from now on, on the running loop."""
        loop = asyncio.get_running_loop()
        self._merging = Periodic(
            "visits",
            lambda: asyncio.run_coroutine_threadsafe(self.merge(), loop).result(),
            PERIOD_S,
            busy_share=_BUSY_SHARE,
        )
        self._merging.start()

    async def stop(self, timeout_s: float) -> None:
        if self._merging is not None:
            await asyncio.to_thread(self._merging.stop, timeout_s)

    async def begin(self, token: str | None, origin: str | None) -> Visit:
        """A new visit, or the one of `token` with a new token: not where it was claimed or erased.

        Raises: RateLimited, Unavailable.
        """
        visitor_id = None if token is None else self._visitor(token)
        if visitor_id is not None and await asyncio.to_thread(self._store.is_over, visitor_id):
            visitor_id = None
        if visitor_id is None:
            if origin is not None:
                await self._limits.take(VISITS, origin)
            visitor_id = f"{VISITOR_PREFIX}{secrets.token_hex(12)}"
        claims = Claims(Kind.VISIT, visitor_id, visitor_id)
        return Visit(visitor_id, self._tokens.sign(claims, VISIT_S))

    async def claim(self, token: str, user_id: str) -> bool:
        """Makes the events of a visit this person's; waits a second at most for the first round.

        False: the token is not valid, or another person has claimed the visit.
        Raises: Unauthenticated where the person was erased at this moment.
        """
        visitor_id = self._visitor(token)
        if visitor_id is None or not await asyncio.to_thread(
            self._store.claim, visitor_id, user_id
        ):
            return False
        if self._merging is not None and not await self._merging.run_now(_MERGE_WAIT_S):
            log.warning("the events of a visit are merged later")
        return True

    async def merge(self) -> None:
        """Sends what claimed visits have and their people lack, until nothing is left."""
        while events := await asyncio.to_thread(self._store.unmerged, _AT_ONCE):
            await self._send(events)
            reached = {event.visitor_id: event.n for event in events}
            await asyncio.to_thread(self._store.merged, reached)

    def _visitor(self, token: str) -> str | None:
        try:
            claims = self._tokens.read(token, late_s=RENEWABLE_S)
        except Unauthenticated:
            return None
        return claims.person if claims.kind is Kind.VISIT else None


def merged_event_id(event: VisitEvent) -> str:
    """The id of a visitor's event in its person's log; always the same."""
    name = f"{event.visitor_id}\n{event.event_id}"
    return f"visit-{hashlib.sha256(name.encode()).hexdigest()[:40]}"
