"""What the catalogue's owner accepts, and what it answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from headrace.errors import FailedPrecondition, InvalidInput, NotFound
from headrace.index.encoding import from_bytes
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.service import ItemEmbedding
from tests.unit.item_embedding.memory import LengthTower, MemoryCatalogue, MemoryVectors


class World:
    def __init__(self) -> None:
        self.catalogue = MemoryCatalogue()
        self.vectors = MemoryVectors(self.catalogue)
        self.tower = LengthTower()
        self.kafka_answers = True
        self.announced: list[str] = []
        self.vectors_stored = 0
        self.service = ItemEmbedding(
            self.catalogue, self.vectors, self.tower, self._announce, self._vectors_stored
        )

    async def _announce(self, items: Sequence[CatalogueItem]) -> bool:
        self.announced += [item.content.item_id for item in items]
        if self.kafka_answers:
            self.catalogue.publish_changes(lambda _items: None, 1_000)
        return self.kafka_answers

    def _vectors_stored(self) -> None:
        self.vectors_stored += 1


@pytest.fixture
def world() -> World:
    return World()


def item(item_id: str, title: str = "A title", **more: Any) -> dict[str, Any]:
    return {"item_id": item_id, "title": title, **more}


async def refused(world: World, *bodies: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        await world.service.upsert(bodies)
    return [violation.field for violation in caught.value.violations]


async def test_new_items_are_numbered_in_the_order_of_the_request(world: World) -> None:
    stored = await world.service.upsert([item("b"), item("a")])
    assert [(one.content.item_id, one.ordinal, one.revision) for one in stored] == [
        ("b", 1, 1),
        ("a", 2, 1),
    ]
    assert world.catalogue.published == {"b": 1, "a": 1}
    assert world.announced == ["b", "a"]


async def test_unchanged_content_keeps_its_revision(world: World) -> None:
    await world.service.upsert([item("a")])
    again, changed = await world.service.upsert([item("a"), item("b", "Another")])
    assert (again.revision, changed.revision) == (1, 1)
    (after,) = await world.service.upsert([item("a", "A new title")])
    assert (after.ordinal, after.revision) == (again.ordinal, 2)


async def test_one_bad_item_refuses_all_and_names_the_field(world: World) -> None:
    bodies = [item("a"), item("b"), item("c"), item("d", "")]
    assert await refused(world, *bodies) == ["items[3].title"]
    assert world.catalogue.items == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (item(""), "items[0].item_id"),
        (item("x" * 129), "items[0].item_id"),
        (item("x", "t" * 501), "items[0].title"),
        (item("x", description="NUL \x00"), "items[0].description"),
        (item("x", categories=["drama"] * 33), "items[0].categories"),
        (item("x", tags=["good", ""]), "items[0].tags[1]"),
        (item("x", attributes={"year": float("nan")}), "items[0].attributes.year"),
    ],
)
async def test_what_cannot_be_used_is_named(world: World, body: dict[str, Any], field: str) -> None:
    assert await refused(world, body) == [field]


async def test_an_id_given_twice_names_both_places(world: World) -> None:
    with pytest.raises(InvalidInput, match=r"items\[2\].item_id: is that of items\[0\] too"):
        await world.service.upsert([item("a"), item("b"), item("a", "Another title")])


async def test_a_request_holds_1_to_1000_items(world: World) -> None:
    assert await refused(world) == ["items"]
    assert await refused(world, *(item(str(i)) for i in range(1_001))) == ["items"]


async def test_a_thousand_bad_items_fit_into_an_error(world: World) -> None:
    assert len(await refused(world, *(item(str(i), "") for i in range(1_000)))) == 10


async def test_a_stored_change_is_answered_while_kafka_is_away(world: World) -> None:
    world.kafka_answers = False
    (stored,) = await world.service.upsert([item("a")])
    assert stored.revision == 1
    assert world.catalogue.published == {}


async def test_a_hidden_item_is_not_read_and_comes_back_with_an_upsert(world: World) -> None:
    await world.service.upsert([item("a"), item("b")])
    hidden = await world.service.delete("a")
    assert (hidden.deleted, hidden.revision) == (True, 2)
    assert [one.content.item_id for one in await world.service.items(["a", "b", "c"])] == ["b"]
    (back,) = await world.service.upsert([item("a")])
    assert (back.ordinal, back.revision, back.deleted) == (1, 3, False)


async def test_items_are_read_in_the_order_of_the_request(world: World) -> None:
    await world.service.upsert([item("a"), item("b"), item("c")])
    found = await world.service.items(["c", "a", "b"])
    assert [one.content.item_id for one in found] == ["c", "a", "b"]


async def test_hiding_what_is_unknown_or_hidden_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="'a' is unknown"):
        await world.service.delete("a")
    await world.service.upsert([item("a")])
    await world.service.delete("a")
    with pytest.raises(NotFound, match="already hidden"):
        await world.service.delete("a")


async def test_a_missing_vector_is_computed_once_hidden_items_included(world: World) -> None:
    await world.service.upsert([item("a", "four", categories=["x"]), item("b")])
    await world.service.delete("a")
    (first,) = await world.service.vectors([1, 99], "length-1")
    assert first.item.deleted
    assert np.array_equal(from_bytes(first.vector, 2), [4, 1])
    assert first.bias == 0.5
    assert (world.tower.encoded, world.vectors_stored) == (["a"], 1)
    assert await world.service.vectors([1], "length-1") == [first]
    assert (world.tower.encoded, world.vectors_stored) == (["a"], 1)


async def test_vectors_of_another_model_are_refused(world: World) -> None:
    with pytest.raises(FailedPrecondition, match="runs 'length-1'"):
        await world.service.vectors([1], "length-2")


@pytest.mark.parametrize("count", [0, 1_001])
async def test_reads_are_bounded(world: World, count: int) -> None:
    with pytest.raises(InvalidInput, match="item_ids"):
        await world.service.items(["a"] * count)
    with pytest.raises(InvalidInput, match="ordinals"):
        await world.service.vectors([1] * count, "length-1")


async def test_an_embedding_must_be_as_wide_as_the_live_model_takes_it(world: World) -> None:
    fields = await refused(
        world, item("a", embedding=[1, 2, 3]), item("b", embedding=[1, 2]), item("c")
    )
    assert fields == ["items[1].embedding"]
    assert world.catalogue.items == {}


async def test_an_embedding_reaches_the_tower(world: World) -> None:
    with_one, without = await world.service.upsert([item("a", embedding=[1, 2, 3]), item("b")])
    found = await world.service.vectors([with_one.ordinal, without.ordinal], "length-1")
    assert {one.item.content.item_id: one.bias for one in found} == {"a": 6.5, "b": 0.5}


async def test_embeddings_are_kept_for_a_model_that_will_take_them(world: World) -> None:
    world.tower.embedding_width = 0
    (kept,) = await world.service.upsert([item("a", embedding=[1, 2])])
    assert kept.content.embedding == (1.0, 2.0)
    world.tower.embedding_width = 3  # a release that takes others
    (found,) = await world.service.vectors([kept.ordinal], "length-1")
    assert found.bias == 0.5
