"""Vectors for what was just stored."""

from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY

from headrace.contracts.items import NewItem
from headrace.errors import Unavailable
from services.item_embedding.catalogue import EmbeddedItem
from services.item_embedding.making import JustStored, VectorMaker
from tests.unit.item_embedding.memory import LengthTower, MemoryCatalogue, MemoryVectors


class World:
    def __init__(self) -> None:
        self.catalogue = MemoryCatalogue()
        self.vectors = MemoryVectors(self.catalogue)
        self.tower = LengthTower()
        self.now = 100.0
        self.kafka_answers = True
        self.just_stored = JustStored(
            VectorMaker(self.vectors, self.tower, self._publish_new), clock=lambda: self.now
        )

    def store(self, *item_ids: str, title: str = "A title") -> None:
        items = [NewItem(item_id=item_id, title=title) for item_id in item_ids]
        self.just_stored.put(self.catalogue.upsert(items))

    def _publish_new(self, embedded: Sequence[EmbeddedItem]) -> None:
        self.vectors.publish_new(embedded, self._publish)

    def _publish(self, _embedded: object) -> None:
        if not self.kafka_answers:
            raise Unavailable("Kafka is away")


@pytest.fixture
def world() -> World:
    return World()


def observed(what: str) -> float:
    return REGISTRY.get_sample_value(f"headrace_item_vector_seconds_{what}") or 0.0


def test_what_several_callers_stored_gets_its_vectors_in_one_round(world: World) -> None:
    count, seconds = observed("count"), observed("sum")
    world.store("a", "b")
    world.store("c")
    world.now += 2.0
    world.just_stored.make()
    assert world.tower.encoded == ["a", "b", "c"]
    assert world.vectors.published == {1: 1, 2: 1, 3: 1}
    assert (observed("count"), observed("sum")) == (count + 3, seconds + 6.0)
    world.just_stored.make()
    assert len(world.tower.encoded) == 3


def test_what_did_not_change_is_not_embedded_again(world: World) -> None:
    world.store("a")
    world.just_stored.make()
    world.store("a")
    world.just_stored.make()
    assert world.tower.encoded == ["a"]


def test_an_item_stored_twice_before_the_round_is_embedded_as_it_is_now(world: World) -> None:
    world.store("a")
    world.store("a", title="A newer title")
    world.just_stored.make()
    assert world.tower.encoded == ["a"]
    assert world.vectors.published == {1: 2}


def test_a_round_that_fails_leaves_its_items_to_whoever_reads_their_changes(world: World) -> None:
    world.store("a")
    world.kafka_answers = False
    with pytest.raises(Unavailable):
        world.just_stored.make()
    assert world.vectors.published == {}
    world.kafka_answers = True
    world.just_stored.make()
    assert world.vectors.published == {}
    assert [item.content.item_id for item in world.vectors.lacking([1])] == ["a"]
