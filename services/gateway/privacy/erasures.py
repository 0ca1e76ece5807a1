"""Erasing people, and looking again whether they are gone.

What is asked for is done at once in Postgres, which decides: nothing older comes back after that.
The rest follows within seconds, by whichever gateway takes it up: memories, then Kafka, then once
more the states that were under way.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from headrace.errors import InvalidInput, NotFound, Unavailable
from headrace.runtime.periodic import Periodic
from services.gateway.directory import Directory
from services.gateway.privacy.erasure_store import Erasure, ErasureStore, Place, memory_places
from services.gateway.privacy.kafka_places import KafkaPlaces
from services.gateway.privacy.receipts import Receipt
from services.gateway.tokens import VISIT_S

log = logging.getLogger(__name__)

PERIOD_S = 1.0
# As long as reading every topic may take, and more.
_TAKEN_S = 900.0
_AGAIN_S = 5.0
_MEMORIES_ANSWER_S = 20.0
_ASK_AGAIN_S = 0.25


@dataclass(frozen=True, slots=True)
class Check:
    """What is found of the erased now. begun_anew: somebody came under the id since, and what is
    found is theirs."""

    erasure_id: str
    checked_at: datetime
    begun_anew: bool
    places: tuple[Place, ...]

    @property
    def clean(self) -> bool:
        """Nothing is there that should not be."""
        return all(one.state != "found" for one in self.places)


class Erasures:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, store: ErasureStore, kafka: KafkaPlaces, directory: Directory) -> None:
        self._store = store
        self._kafka = kafka
        self._directory = directory

    def begin(self, user_id: str) -> Receipt:
        """When it returns no table has anything of the person, and no token of theirs is valid
        here; the others refuse them within two seconds."""
        receipt, sessions = self._store.begin(user_id)
        until = time.time() + VISIT_S
        self._directory.end((session, until) for session in sessions)
        log.info("erasure begun", extra={"erasure_id": receipt.erasure_id})
        return receipt

    def get(self, erasure_id: str) -> Erasure:
        """Raises: NotFound."""
        found = self._store.get(erasure_id)
        if found is None:
            raise NotFound(f"there is no erasure {erasure_id!r}")
        return found

    def verify(self, receipt: Receipt) -> None:
        """Raises: NotFound; InvalidInput where the receipt is not the one that was given."""
        digest = self._store.receipt_digest(receipt.erasure_id)
        if digest is None:
            raise NotFound(f"there is no erasure {receipt.erasure_id!r}")
        if not receipt.matches(digest):
            raise InvalidInput.of("code", "this is not the receipt of that erasure")

    async def check(self, receipt: Receipt) -> Check:
        """Looks again into every table, topic and memory. Raises: as `verify`; Unavailable while
        Kafka is away, or a process does not answer, too."""
        await asyncio.to_thread(self.verify, receipt)
        people = [receipt.user_id, *receipt.visits]
        forgetting = await asyncio.to_thread(self._store.begin_forgetting, people)
        topics = await asyncio.to_thread(self._kafka.look, people)
        tables, anew = await asyncio.to_thread(self._store.look, people)
        memories = memory_places(await self._answered(forgetting), after=True)
        return Check(receipt.erasure_id, datetime.now(UTC), anew, (*tables, *topics, *memories))

    def work(self) -> None:
        """One round: everything that is open and can be done. Raises: Unavailable."""
        self._store.close_forgettings()
        while (erasure := self._store.take(_TAKEN_S)) is not None:
            try:
                places = self._kafka.forget(erasure.people)
            except Unavailable:
                self._store.release(erasure, _AGAIN_S)
                raise
            self._store.complete(erasure, places)
            log.info("erasure completed", extra={"erasure_id": erasure.erasure_id})

    def periodic(self) -> Periodic:
        return Periodic("erasures", self.work, PERIOD_S)

    async def _answered(self, forgetting: int) -> dict[str, int]:
        until = time.monotonic() + _MEMORIES_ANSWER_S
        while time.monotonic() < until:
            removed = await asyncio.to_thread(self._store.forgotten, forgetting)
            if removed is not None:
                return dict(removed)
            await asyncio.sleep(_ASK_AGAIN_S)
        raise Unavailable("a process has not said yet what it has in memory; try again in a moment")
