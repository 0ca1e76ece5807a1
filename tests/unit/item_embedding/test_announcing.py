"""In which order what was stored goes to Kafka, and how long its caller waits."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from headrace.contracts.items import NewItem
from headrace.errors import Unavailable
from headrace.runtime.periodic import Periodic
from services.item_embedding.announcing import Announcer
from services.item_embedding.making import JustStored, VectorMaker
from tests.unit.item_embedding.memory import LengthTower, MemoryCatalogue, MemoryVectors


class World:
    """`done` tells what reached Kafka, in order."""

    def __init__(self, stack: ExitStack, within_s: float) -> None:
        self.catalogue = MemoryCatalogue()
        vectors = MemoryVectors(self.catalogue)
        maker = VectorMaker(vectors, LengthTower(), lambda made: self._vectors(len(made)))
        just_stored = JustStored(maker)
        self.done: list[str] = []
        self.kafka_answers = True
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        making = Periodic("make_vectors", just_stored.make, 60.0)
        publishing = Periodic("publish_changes", self._changes, 60.0)
        for periodic in (making, publishing):
            periodic.start()
            stack.callback(periodic.stop, 10.0)
        stack.callback(self.may_go_on.set)
        self.announcer = Announcer(just_stored, making, publishing, within_s)

    async def store(self, *item_ids: str) -> bool:
        items = [NewItem(item_id=item_id, title="A title") for item_id in item_ids]
        return await self.announcer.announce(self.catalogue.upsert(items))

    def _vectors(self, count: int) -> None:
        self.may_go_on.wait(10.0)
        if not self.kafka_answers:
            raise Unavailable("Kafka is away")
        self.done.append(f"{count} vectors")

    def _changes(self) -> None:
        def publish(items: object) -> None:
            self.done.append("changes")

        self.catalogue.publish_changes(publish, 100)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def test_vectors_are_in_kafka_before_the_changes_they_are_of(stack: ExitStack) -> None:
    world = World(stack, within_s=10.0)
    assert await world.store("a", "b")
    assert world.done == ["2 vectors", "changes"]


async def test_changes_are_published_where_vectors_fail(stack: ExitStack) -> None:
    world = World(stack, within_s=10.0)
    world.kafka_answers = False
    assert not await world.store("a")
    assert world.done == ["changes"]


async def test_nobody_waits_for_vectors_beyond_their_time(stack: ExitStack) -> None:
    world = World(stack, within_s=0.01)
    world.may_go_on.clear()
    assert not await world.store("a")
    world.may_go_on.set()
