"""Pictures in Postgres: wanted, kept, put off and forgotten."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from headrace.contracts.items import NewItem
from headrace.pictures.pixels import SHAPE
from headrace.store.database import Database
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.catalogue_store import CatalogueStore
from services.item_embedding.encoder import embed
from services.item_embedding.picture_store import PictureStore, Wanted
from services.item_embedding.recent import RecentItems
from services.item_embedding.vector_store import VectorStore
from tests.unit.item_embedding.memory import LengthTower

SHOP = "https://shop.example"
PIXELS = np.arange(np.prod(SHAPE), dtype=np.int64).astype(np.uint8).reshape(SHAPE)


class World:
    def __init__(self, pool: Database) -> None:
        self.pool, recent = pool, RecentItems()
        self.catalogue = CatalogueStore(pool, recent)
        self.pictures = PictureStore(pool, recent)
        self.vectors = VectorStore(pool, LengthTower.model_version, recent, looks=True)

    def put(self, item_id: str, url: str, title: str = "A title") -> CatalogueItem:
        (stored,) = self.catalogue.upsert([NewItem(item_id=item_id, title=title, picture_url=url)])
        return stored

    def claimed(self, *, lease_s: float = 60) -> list[Wanted]:
        return self.pictures.claim([SHOP], 10, lease_s)

    def embed_all(self, *items: CatalogueItem) -> None:
        lacking = self.vectors.lacking([item.ordinal for item in items])
        self.vectors.save(embed(LengthTower(), lacking))

    def rows(self) -> list[tuple[object, ...]]:
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT picture_url, pixels IS NOT NULL, tries FROM item_pictures")
            return list(cursor.fetchall())

    def minutes_pass(self, minutes: int) -> None:
        with self.pool.transaction() as cursor:
            cursor.execute(
                "UPDATE item_pictures SET due_at = due_at - %s * interval '1 minute'", (minutes,)
            )


@pytest.fixture
def world(pool: Database) -> World:
    return World(pool)


def test_pictures_of_listed_origins_are_wanted_once(world: World) -> None:
    a = world.put("a", f"{SHOP}/a.png")
    for number, url in enumerate(
        ("", "/b.png", "https://other.example/c.png", f"{SHOP}.evil/d.png", f"{SHOP}@e/e.png")
    ):
        world.put(f"other-{number}", url)
    world.put("hidden", f"{SHOP}/h.png")
    world.catalogue.hide("hidden")
    assert world.claimed() == [Wanted(a.ordinal, f"{SHOP}/a.png")]
    assert world.claimed() == []


def test_what_a_process_that_died_had_claimed_is_wanted_again(world: World) -> None:
    world.put("a", f"{SHOP}/a.png")
    first = world.claimed(lease_s=0)
    assert world.claimed() == first


def test_two_processes_do_not_want_the_same(world: World) -> None:
    for number in range(12):
        world.put(f"i{number}", f"{SHOP}/{number}.png")
    with ThreadPoolExecutor(4) as processes:
        claims = list(processes.map(lambda _: world.pictures.claim([SHOP], 3, 60), range(8)))
    ordinals = [wanted.ordinal for claim in claims for wanted in claim]
    assert len(ordinals) == len(set(ordinals))


def test_a_picture_that_came_changes_its_item_and_is_what_is_embedded(world: World) -> None:
    a, b = world.put("a", f"{SHOP}/a.png"), world.put("b", "")
    world.embed_all(a, b)
    (wanted,) = world.claimed()
    changed = world.pictures.keep(wanted, PIXELS)
    assert changed is not None
    assert (changed.content, changed.revision) == (a.content, 2)
    (lacking,) = world.vectors.lacking([a.ordinal, b.ordinal])
    assert (lacking.revision, lacking.pixels) == (2, PIXELS.tobytes())
    assert world.pictures.keep(wanted, PIXELS) is None
    # Another content of the item has the same picture still, without asking for it again.
    renamed = world.put("a", f"{SHOP}/a.png", title="Another title")
    (lacking,) = world.vectors.lacking([a.ordinal])
    assert (lacking.revision, lacking.pixels) == (renamed.revision, PIXELS.tobytes())
    assert world.claimed(lease_s=0) == []


def test_vectors_of_a_tower_that_does_not_look_need_no_pixels(world: World) -> None:
    a = world.put("a", f"{SHOP}/a.png")
    world.pictures.keep(world.claimed()[0], PIXELS)
    blind = VectorStore(world.pool, "blind", RecentItems())
    assert [item.pixels for item in blind.lacking([a.ordinal])] == [None]


def test_a_picture_of_before_tells_nothing_of_another_one(world: World) -> None:
    a = world.put("a", f"{SHOP}/a.png")
    (old,) = world.claimed()
    world.put("a", f"{SHOP}/new.png")
    assert world.pictures.keep(old, PIXELS) is None
    (new,) = world.claimed()
    world.pictures.keep(new, PIXELS)
    assert world.rows() == [(f"{SHOP}/new.png", True, 0)]
    world.put("a", "")
    assert world.rows() == []
    assert [item.pixels for item in world.vectors.lacking([a.ordinal])] == [None]


def test_pixels_go_with_their_item(world: World) -> None:
    a = world.put("a", f"{SHOP}/a.png")
    (wanted,) = world.claimed()
    world.pictures.keep(wanted, PIXELS)
    world.catalogue.hide("a")
    assert world.rows() == []
    assert [item.pixels for item in world.vectors.lacking([a.ordinal])] == [None]
    assert world.pictures.keep(wanted, PIXELS) is None
    world.put("a", f"{SHOP}/a.png")
    assert world.claimed() == [wanted]


def test_what_may_pass_is_tried_again_ever_later_and_at_last_no_more(world: World) -> None:
    world.put("a", f"{SHOP}/a.png")
    (wanted,) = world.claimed()
    for tries in range(7):
        world.pictures.put_off(wanted, again=True)
        world.minutes_pass(2**tries - 1 if tries else 0)
        assert world.claimed() == []
        world.minutes_pass(1)
        assert world.claimed() == [wanted]
    world.pictures.put_off(wanted, again=True)
    world.minutes_pass(10_000)
    assert world.claimed() == []
    assert world.rows() == [(f"{SHOP}/a.png", False, 8)]


def test_what_will_not_pass_is_asked_for_again_once_it_lies_elsewhere(world: World) -> None:
    a = world.put("a", f"{SHOP}/a.png")
    world.pictures.put_off(world.claimed()[0], again=False)
    world.minutes_pass(10_000)
    assert world.claimed() == []
    world.put("a", f"{SHOP}/b.png")
    assert world.claimed() == [Wanted(a.ordinal, f"{SHOP}/b.png")]
