"""What people may ask about their data, whichever door a request came through."""

import asyncio
from collections.abc import AsyncIterator

from services.gateway.access import Caller
from services.gateway.accounts.limits import CHECKS, EXPORTS, Limits
from services.gateway.accounts.service import Accounts
from services.gateway.privacy.choice_store import Choice, ChoiceStore
from services.gateway.privacy.choices import Choices
from services.gateway.privacy.erasure_store import Erasure, ErasureStore
from services.gateway.privacy.erasures import Check, Erasures
from services.gateway.privacy.exports import Exports
from services.gateway.privacy.receipts import Receipt


class Privacy:
    """Both doors call these methods; access is checked before.

    Every method raises Unavailable while Postgres is away.
    """

    def __init__(
        self,
        *,
        choice_store: ChoiceStore,
        choices: Choices,
        exports: Exports,
        erasure_store: ErasureStore,
        erasures: Erasures,
        accounts: Accounts,
        limits: Limits,
    ) -> None:
        self._choice_store = choice_store
        self._choices = choices
        self._exports = exports
        self._erasure_store = erasure_store
        self._erasures = erasures
        self._accounts = accounts
        self._limits = limits

    async def personalisation(self, user_id: str) -> Choice:
        """What the person said last; enabled where they never said anything."""
        return await asyncio.to_thread(self._choice_store.of, user_id)

    async def set_personalisation(self, user_id: str, enabled: bool) -> Choice:
        """Counts from the next list on at this gateway, within two seconds at the others."""
        said = await asyncio.to_thread(self._choice_store.put, user_id, enabled)
        self._choices.apply([(said.user_id, said.enabled)])
        if not enabled:
            await asyncio.to_thread(self._erasure_store.begin_forgetting, [user_id])
        return said

    async def export(self, user_id: str) -> AsyncIterator[bytes]:
        """Everything that is stored of the person: a JSON document in pieces.

        Raises: RateLimited; Unavailable while Kafka is away, too.
        """
        await self._limits.take(EXPORTS, user_id)
        return await self._exports.of(user_id)

    async def erase(self, user_id: str, caller: Caller, password: str | None) -> Receipt:
        """Erases the person and the visits that became theirs.

        password: of the account, where the person acts.
        Raises: InvalidInput where it is missing or wrong; RateLimited.
        """
        if caller.person == user_id:
            await self._accounts.confirm_password(user_id, password)
        return await asyncio.to_thread(self._erasures.begin, user_id)

    async def erasure(self, erasure_id: str) -> Erasure:
        """How far it is, and what was removed where. Raises: NotFound."""
        return await asyncio.to_thread(self._erasures.get, erasure_id)

    async def check_erasure(self, receipt: Receipt) -> Check:
        """Looks again into every table, topic and memory.

        Raises: NotFound; InvalidInput where the receipt is not the one that was given; RateLimited;
        Unavailable while Kafka is away, too.
        """
        await asyncio.to_thread(self._erasures.verify, receipt)
        await self._limits.take(CHECKS, receipt.erasure_id)
        return await self._erasures.check(receipt)
