"""What the consumer of topic `items` takes, refuses and does."""

from collections.abc import Collection, Sequence

import pytest

from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.contracts.items import NewItem
from headrace.errors import MalformedRecord
from headrace.runtime.kafka_records import Message, Record
from services.item_embedding.catalogue import EmbeddedItem
from services.item_embedding.consumer import ChangeHandler, decode
from services.item_embedding.making import VectorMaker
from tests.unit.item_embedding.memory import LengthTower, MemoryCatalogue, MemoryVectors


def record(value: bytes | None) -> Record:
    return Record("items", 0, 7, 0, b"a", value)


def change(item_id: str, ordinal: int, revision: int) -> Message[ItemChange]:
    body = ItemChange(item=Item(item_id=item_id), ordinal=ordinal, revision=revision)
    return Message(record(body.SerializeToString()), body)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"\xff garbage", "undecodable"),
        (ItemChange(ordinal=1, revision=1).SerializeToString(), "incomplete"),
        (ItemChange(item=Item(item_id="a"), revision=1).SerializeToString(), "incomplete"),
    ],
)
def test_what_is_no_change_is_refused(value: bytes | None, reason: str) -> None:
    with pytest.raises(MalformedRecord) as caught:
        decode(record(value))
    assert caught.value.reason == reason


class AskedCatalogue(MemoryCatalogue):
    """Remembers whose names it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def names(self, ordinals: Collection[int]) -> dict[int, str]:
        self.asked += ordinals
        return super().names(ordinals)


class World:
    def __init__(self) -> None:
        self.catalogue = AskedCatalogue()
        self.vectors = MemoryVectors(self.catalogue)
        self.tower = LengthTower()
        self.maker = VectorMaker(self.vectors, self.tower, self._publish_new)
        self.handler = ChangeHandler(self.catalogue, self.maker)

    def _publish_new(self, embedded: Sequence[EmbeddedItem]) -> None:
        self.vectors.publish_new(embedded, lambda _embedded: None)


@pytest.fixture
def world() -> World:
    world = World()
    world.catalogue.upsert(
        [NewItem(item_id="a", title="A title"), NewItem(item_id="b", title="Another")]
    )
    return world


def test_a_change_gets_its_vector_once(world: World) -> None:
    batch = [change("a", 1, 1), change("b", 2, 1)]
    assert world.handler.handle(batch) == []
    assert world.handler.handle(batch) == []
    assert world.tower.encoded == ["a", "b"]
    assert world.vectors.published == {1: 1, 2: 1}


def test_a_late_record_embeds_the_item_as_it_is_now(world: World) -> None:
    world.catalogue.upsert([NewItem(item_id="a", title="A newer title")])
    world.handler.handle([change("a", 1, 1)])
    (current,) = world.vectors.current([1])
    assert current.item.revision == 2
    world.handler.handle([change("a", 1, 2)])
    assert world.tower.encoded == ["a"]


def test_what_its_own_process_made_is_passed_over_and_a_stranger_of_that_number_is_not(
    world: World,
) -> None:
    world.maker.make([1])
    assert world.handler.handle([change("a", 1, 1)]) == []
    assert world.catalogue.asked == []
    (refusal,) = world.handler.handle([change("a", 1, 1), change("z", 1, 1)])
    assert (refusal.reason, world.tower.encoded) == ("unknown_item", ["a"])


def test_items_that_the_catalogue_lacks_are_refused_and_the_rest_is_done(world: World) -> None:
    refusals = world.handler.handle([change("z", 9, 1), change("z", 1, 1), change("b", 2, 1)])
    assert [refusal.reason for refusal in refusals] == ["unknown_item", "unknown_item"]
    assert world.tower.encoded == ["b"]
