"""The catalogue and its vectors in Postgres."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from headrace.bundle import ItemContent
from headrace.errors import Unavailable
from headrace.index.encoding import from_bytes
from headrace.store.database import Database
from services.item_embedding.catalogue import CatalogueItem, Coverage, EmbeddedItem
from services.item_embedding.catalogue_store import CatalogueStore
from services.item_embedding.encoder import embed
from services.item_embedding.vector_store import VectorStore
from tests.unit.item_embedding.memory import LengthTower

FULL = ItemContent(
    "ä/1", 'A "title"', "It's\n%s", ("drama", "{x,y}"), ("a", "b"), {"year": 1999.5, "p": 1e300}
)


@pytest.fixture
def catalogue(pool: Database) -> CatalogueStore:
    return CatalogueStore(pool)


@pytest.fixture
def vectors(pool: Database) -> VectorStore:
    return VectorStore(pool, LengthTower.model_version)


def test_content_comes_back_as_it_was_given(catalogue: CatalogueStore) -> None:
    (stored,) = catalogue.upsert([FULL])
    assert catalogue.find(["ä/1", "other"]) == [stored]
    assert catalogue.upsert([FULL]) == [stored]
    assert catalogue.names([stored.ordinal, 4_000_000_000]) == {stored.ordinal: "ä/1"}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"description": ""},
        {"categories": ("{x,y}", "drama")},
        {"tags": ()},
        {"attributes": {"year": 1999.5}},
    ],
)
def test_any_change_of_content_is_a_new_revision(
    catalogue: CatalogueStore, change: dict[str, object]
) -> None:
    catalogue.upsert([FULL])
    (changed,) = catalogue.upsert([replace(FULL, **change)])  # type: ignore[arg-type]
    assert (changed.ordinal, changed.revision) == (1, 2)
    assert catalogue.find(["ä/1"]) == [changed]


def test_many_writers_at_once_leave_no_gap_and_lose_no_revision(catalogue: CatalogueStore) -> None:
    def write(writer: int) -> None:
        for turn in range(10):
            ids = [f"shared-{i}" for i in range(20)] + [f"own-{writer}-{turn}"]
            if writer % 2:
                ids.reverse()
            catalogue.upsert([ItemContent(i, f"{writer} {turn}") for i in ids])

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    published: list[CatalogueItem] = []
    catalogue.publish_changes(published.extend, 1_000)
    assert [item.ordinal for item in published] == list(range(1, 61))
    shared = [item for item in published if item.content.item_id.startswith("shared")]
    assert {item.revision for item in shared} == {40}


def test_what_could_not_be_published_stays_to_be_published(catalogue: CatalogueStore) -> None:
    catalogue.upsert([FULL])

    def fail(_items: object) -> None:
        raise Unavailable("Kafka is away")

    with pytest.raises(Unavailable):
        catalogue.publish_changes(fail, 10)
    assert catalogue.publish_changes(lambda _items: None, 10) == 1
    assert catalogue.publish_changes(lambda _items: None, 10) == 0


def test_a_change_made_while_its_predecessor_is_published_is_published_next(
    catalogue: CatalogueStore,
) -> None:
    catalogue.upsert([FULL])
    catalogue.publish_changes(lambda _items: hide(catalogue), 10)
    published: list[CatalogueItem] = []
    catalogue.publish_changes(published.extend, 10)
    assert [(item.revision, item.deleted) for item in published] == [(2, True)]


def test_a_late_vector_of_an_older_revision_changes_nothing(
    catalogue: CatalogueStore, vectors: VectorStore
) -> None:
    older = embed(LengthTower(), catalogue.upsert([ItemContent("a", "old")]))
    newer = embed(LengthTower(), catalogue.upsert([ItemContent("a", "newest")]))
    vectors.save(older)
    assert vectors.current([1]) == []
    assert vectors.publish(lambda _embedded: None, 10) == 0
    vectors.save(newer)
    vectors.save(older)
    assert vectors.current([1]) == newer
    assert from_bytes(newer[0].vector, 2).tolist() == [6, 0]


def test_vectors_are_published_once_for_each_revision(
    catalogue: CatalogueStore, vectors: VectorStore
) -> None:
    first = embed(LengthTower(), catalogue.upsert([ItemContent("a", "A"), ItemContent("b", "B")]))
    vectors.save(first)
    published: list[EmbeddedItem] = []
    assert vectors.publish(published.extend, 1) == 1
    assert vectors.publish(published.extend, 10) == 1
    assert published == first
    vectors.save(first)
    assert vectors.publish(published.extend, 10) == 0
    hide(catalogue, "b")
    assert [item.deleted for item in vectors.lacking([1, 2])] == [True]
    assert vectors.count() == Coverage(shown=1, lacking=1)


def test_filling_embeds_what_lacks_a_vector_and_settled(
    catalogue: CatalogueStore, vectors: VectorStore
) -> None:
    catalogue.upsert([ItemContent(f"i{i}", "A title") for i in range(5)])
    tower = LengthTower()
    assert vectors.fill(lambda items: embed(tower, items), limit=3, settled_s=60.0) == 0
    assert vectors.fill(lambda items: embed(tower, items), limit=3, settled_s=0.0) == 3
    assert vectors.fill(lambda items: embed(tower, items), limit=3, settled_s=0.0) == 2
    assert tower.encoded == [f"i{i}" for i in range(5)]
    assert vectors.count() == Coverage(shown=5, lacking=0)


def hide(catalogue: CatalogueStore, item_id: str = "ä/1") -> None:
    assert catalogue.hide(item_id) is not None
