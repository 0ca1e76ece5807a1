"""Puts the parts of privacy together, and starts and stops what runs beside requests."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from headrace.store.database import Database
from headrace.store.forgetting import Forgetting, Memory
from services.gateway.accounts.parts import AccountParts
from services.gateway.directory import Directory
from services.gateway.privacy.choice_store import ChoiceStore
from services.gateway.privacy.choices import Choices
from services.gateway.privacy.erasure_store import ErasureStore
from services.gateway.privacy.erasures import Erasures
from services.gateway.privacy.exports import Exports
from services.gateway.privacy.kafka_places import KafkaPlaces
from services.gateway.privacy.people_in_memory import PeopleInMemory
from services.gateway.privacy.service import Privacy
from services.gateway.settings import GatewaySettings

# Of one topic in an export.
_MOST_RECORDS = 10_000


@asynccontextmanager
async def privacy_parts(
    settings: GatewaySettings,
    database: Database,
    people: AccountParts,
    directory: Directory,
    *,
    choices: Choices,
    memories: Sequence[Memory],
) -> AsyncIterator[Privacy]:
    """Works on erasures while the block runs. memories: what this process holds of people."""
    kafka = KafkaPlaces(settings.kafka(), settings.kafka_scan_deadline_s)
    choice_store, store = ChoiceStore(database), ErasureStore(database)
    erasures = Erasures(store, kafka, directory)
    memory = PeopleInMemory(memories, choices, choice_store)
    forgetting = Forgetting(database, "gateway", memory)
    rounds = [forgetting.periodic(), erasures.periodic()]
    for one in rounds:
        one.start()
    try:
        yield Privacy(
            choice_store=choice_store,
            choices=choices,
            exports=Exports(database, partial(kafka.find, most=_MOST_RECORDS)),
            erasure_store=store,
            erasures=erasures,
            accounts=people.accounts,
            limits=people.limits,
        )
    finally:
        for one in rounds:
            await asyncio.to_thread(one.stop, settings.shutdown_grace_s)
        await asyncio.to_thread(forgetting.leave)
