"""The catalogue and its vectors in Postgres."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from headrace.contracts.items import NewItem, Price
from headrace.errors import Unavailable
from headrace.index.encoding import from_bytes
from headrace.store.database import Database
from services.item_embedding.catalogue import CatalogueItem, Coverage, EmbeddedItem
from services.item_embedding.catalogue_store import CatalogueStore
from services.item_embedding.encoder import embed
from services.item_embedding.recent import RecentItems
from services.item_embedding.vector_store import VectorStore
from tests.unit.item_embedding.memory import LengthTower

FULL = NewItem(
    item_id="ä/1",
    title='A "title"',
    description="It's\n%s",
    categories=("drama", "{x,y} > z"),
    tags=("a", "b"),
    attributes={"year": 1999.5, "p": 1e300},
    text_attributes={"brand": "'; DROP TABLE items; --"},
    price=Price(amount=1999, currency="EUR"),
    picture_url="/pictures/1.jpg",
    availability="preorder",
    publish_at=datetime(2020, 1, 1, tzinfo=UTC),
    expire_at=datetime(9000, 1, 1, tzinfo=UTC),
    embedding=(0.1, -2.0, 1e-44),
)


def named(item_id: str, title: str) -> NewItem:
    return NewItem(item_id=item_id, title=title)


@pytest.fixture
def recent() -> RecentItems:
    return RecentItems()


@pytest.fixture
def catalogue(pool: Database, recent: RecentItems) -> CatalogueStore:
    return CatalogueStore(pool, recent)


@pytest.fixture
def vectors(pool: Database, recent: RecentItems) -> VectorStore:
    return VectorStore(pool, LengthTower.model_version, recent)


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
        {"categories": ("{x,y} > z", "drama")},
        {"tags": ()},
        {"attributes": {"year": 1999.5}},
        {"text_attributes": {}},
        {"price": None},
        {"picture_url": ""},
        {"availability": "in_stock"},
        {"publish_at": None},
        {"expire_at": None},
        {"embedding": ()},
    ],
)
def test_any_change_of_content_is_a_new_revision(
    catalogue: CatalogueStore, change: dict[str, object]
) -> None:
    catalogue.upsert([FULL])
    (changed,) = catalogue.upsert([FULL.model_copy(update=change)])
    assert (changed.ordinal, changed.revision) == (1, 2)
    assert catalogue.find(["ä/1"]) == [changed]


@pytest.mark.parametrize(
    "window",
    [
        {"publish_at": datetime(9000, 1, 1, tzinfo=UTC), "expire_at": None},
        {"expire_at": datetime(2021, 1, 1, tzinfo=UTC)},
    ],
)
def test_an_item_out_of_its_window_is_not_found_but_keeps_its_vector(
    catalogue: CatalogueStore, vectors: VectorStore, window: dict[str, object]
) -> None:
    (stored,) = catalogue.upsert([FULL.model_copy(update=window)])
    assert catalogue.find(["ä/1"]) == []
    vectors.save(embed(LengthTower(), [stored]))
    assert [one.item for one in vectors.current([stored.ordinal])] == [stored]


def test_many_writers_at_once_leave_no_gap_and_lose_no_revision(catalogue: CatalogueStore) -> None:
    def write(writer: int) -> None:
        for turn in range(10):
            ids = [f"shared-{i}" for i in range(20)] + [f"own-{writer}-{turn}"]
            if writer % 2:
                ids.reverse()
            catalogue.upsert([NewItem(item_id=i, title=f"{writer} {turn}") for i in ids])

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
    older = embed(LengthTower(), catalogue.upsert([NewItem(item_id="a", title="old")]))
    newer = embed(LengthTower(), catalogue.upsert([NewItem(item_id="a", title="newest")]))
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
    first = embed(
        LengthTower(),
        catalogue.upsert([named("a", "A"), named("b", "B")]),
    )
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


def test_new_vectors_are_published_and_stored_at_once(
    catalogue: CatalogueStore, vectors: VectorStore
) -> None:
    made = embed(LengthTower(), catalogue.upsert([named("a", "A"), named("b", "B")]))
    vectors.save(made[:1])
    published: list[EmbeddedItem] = []
    vectors.publish_new(made, published.extend)
    assert published == made
    assert vectors.lacking([1, 2]) == []
    assert vectors.publish(published.extend, 10) == 0


def test_new_vectors_of_an_item_that_changed_meanwhile_are_neither_published_nor_stored(
    catalogue: CatalogueStore, vectors: VectorStore
) -> None:
    older = embed(LengthTower(), catalogue.upsert([named("a", "old"), named("b", "B")]))
    newer = embed(LengthTower(), catalogue.upsert([named("a", "newest")]))
    published: list[EmbeddedItem] = []
    vectors.publish_new(older, published.extend)
    assert published == older[1:]
    assert vectors.lacking([1]) == [newer[0].item]
    vectors.publish_new(newer, published.extend)
    vectors.publish_new(older[:1], published.extend)
    assert published == older[1:] + newer
    assert vectors.current([1]) == newer


def test_new_vectors_that_could_not_be_published_are_lacking_still(
    catalogue: CatalogueStore, vectors: VectorStore
) -> None:
    made = embed(LengthTower(), catalogue.upsert([named("a", "A")]))

    def fail(_embedded: object) -> None:
        raise Unavailable("Kafka is away")

    with pytest.raises(Unavailable):
        vectors.publish_new(made, fail)
    assert vectors.lacking([1]) == [made[0].item]


def test_filling_embeds_what_lacks_a_vector_and_settled(
    catalogue: CatalogueStore, vectors: VectorStore
) -> None:
    catalogue.upsert([NewItem(item_id=f"i{i}", title="A title") for i in range(5)])
    tower = LengthTower()
    assert vectors.fill(lambda items: embed(tower, items), limit=3, settled_s=60.0) == 0
    assert vectors.fill(lambda items: embed(tower, items), limit=3, settled_s=0.0) == 3
    assert vectors.fill(lambda items: embed(tower, items), limit=3, settled_s=0.0) == 2
    assert tower.encoded == [f"i{i}" for i in range(5)]
    assert vectors.count() == Coverage(shown=5, lacking=0)


def hide(catalogue: CatalogueStore, item_id: str = "ä/1") -> None:
    assert catalogue.hide(item_id) is not None


@pytest.mark.parametrize("remembers", [True, False])
def test_what_another_process_changed_is_never_taken_from_memory(
    pool: Database, remembers: bool
) -> None:
    recent = RecentItems() if remembers else RecentItems(limit_bytes=0)
    mine, others = CatalogueStore(pool, recent), CatalogueStore(pool, RecentItems())
    vectors = VectorStore(pool, LengthTower.model_version, recent)
    mine.upsert([FULL, named("b", "Mine")])
    others.upsert([named("b", "Theirs")])
    hide(others)
    expected = [(2, True, FULL), (2, False, named("b", "Theirs"))]
    lacking = sorted(vectors.lacking([1, 2]), key=lambda one: one.ordinal)
    assert [(one.revision, one.deleted, one.content) for one in lacking] == expected
    published: list[CatalogueItem] = []
    mine.publish_changes(published.extend, 10)
    assert published == lacking


def test_a_vector_whose_item_changes_while_it_is_read_waits_for_the_next_one(
    catalogue: CatalogueStore, vectors: VectorStore
) -> None:
    stored = catalogue.upsert([named("a", "A"), named("b", "B")])
    vectors.save(embed(LengthTower(), stored))
    published: list[EmbeddedItem] = []

    def publish(embedded: Sequence[EmbeddedItem]) -> None:
        published.extend(embedded)

    class Changing(RecentItems):
        """What is asked for has changed since."""

        def find(self, numbers: Sequence[tuple[int, int]]) -> dict[int, CatalogueItem]:
            catalogue.upsert([named("a", "Another")])
            return {}

    late = VectorStore(vectors._database, LengthTower.model_version, Changing())
    assert late.publish(publish, 10) == 2
    assert [one.item.content.item_id for one in published] == ["b"]
