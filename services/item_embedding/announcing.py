"""What was stored goes to Kafka while its caller waits."""

import time
from collections.abc import Sequence

from headrace.runtime.periodic import Periodic
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.making import JustStored

# A caller waits so long for its change to reach Kafka; then it is answered and published later.
_WITHIN_S = 2.0


class Announcer:
    """Vectors first: whoever reads topic `items` then finds them made, whatever process it is.

    Since callers wait for both, an import is no faster than its items can be found.
    """

    def __init__(
        self,
        just_stored: JustStored,
        vectors: Periodic,
        changes: Periodic,
        within_s: float = _WITHIN_S,
    ) -> None:
        """vectors: makes those of `just_stored`. changes: publishes on `items`."""
        self._just_stored = just_stored
        self._vectors = vectors
        self._changes = changes
        self._within_s = within_s

    async def announce(self, items: Sequence[CatalogueItem]) -> bool:
        """False: not all of it could be done within its time. It is done later."""
        until = time.monotonic() + self._within_s
        self._just_stored.put(items)
        made = await self._vectors.run_now(self._within_s)
        published = await self._changes.run_now(max(0.0, until - time.monotonic()))
        return made and published
