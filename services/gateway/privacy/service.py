"""What people may ask about their data, whichever door a request came through."""

import asyncio
from collections.abc import AsyncIterator

from services.gateway.accounts.limits import EXPORTS, Limits
from services.gateway.privacy.choice_store import Choice, ChoiceStore
from services.gateway.privacy.choices import Choices
from services.gateway.privacy.exports import Exports


class Privacy:
    """Both doors call these methods; access is checked before.

    Every method raises Unavailable while Postgres is away.
    """

    def __init__(
        self, choice_store: ChoiceStore, choices: Choices, exports: Exports, limits: Limits
    ) -> None:
        self._choice_store = choice_store
        self._choices = choices
        self._exports = exports
        self._limits = limits

    async def personalisation(self, user_id: str) -> Choice:
        """What the person said last; enabled where they never said anything."""
        return await asyncio.to_thread(self._choice_store.of, user_id)

    async def set_personalisation(self, user_id: str, enabled: bool) -> Choice:
        """Counts from the next list on at this gateway, within two seconds at the others."""
        said = await asyncio.to_thread(self._choice_store.set, user_id, enabled)
        self._choices.apply([(said.user_id, said.enabled)])
        return said

    async def export(self, user_id: str) -> AsyncIterator[bytes]:
        """Everything that is stored of the person: a JSON document in pieces.

        Raises: RateLimited; Unavailable while Kafka is away, too.
        """
        await self._limits.take(EXPORTS, user_id)
        return await self._exports.of(user_id)
