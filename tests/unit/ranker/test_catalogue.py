"""Items come, change and go."""

import numpy as np

from tests.unit.ranker.world import World, item


async def test_a_deleted_item_leaves_everything_but_the_facts() -> None:
    world = World(items=8)
    world.catalogue.apply([item(3, revision=2, deleted=True)])
    view = world.catalogue.view
    assert 3 not in view.live
    assert 3 not in view.of("juice")
    assert (len(world.retrieval), len(world.similar)) == (7, 7)
    assert world.catalogue.ordinal("i3") is None
    assert world.catalogue.ordinals(["i3"]) == [3]
    assert world.catalogue.facts(np.array([3])).present.all()


async def test_an_older_revision_is_passed_over() -> None:
    world = World(items=8)
    world.catalogue.apply([item(3, revision=5, title="new")])
    world.catalogue.apply([item(3, revision=4, title="old"), item(3, revision=5, deleted=True)])
    assert world.catalogue.item(3).content.title == "new"
    assert 3 in world.catalogue.view.live


async def test_the_newest_of_a_batch_counts() -> None:
    world = World(items=8)
    world.catalogue.apply([item(3, revision=2, deleted=True), item(3, revision=3, title="back")])
    assert 3 in world.catalogue.view.live
    assert world.catalogue.item(3).content.title == "back"


async def test_a_changed_category_moves_the_item() -> None:
    world = World(items=8)
    world.catalogue.apply([item(3, revision=2, categories=("tea", "soup"))])
    view = world.catalogue.view
    assert list(view.of("juice")) == [7]
    assert list(view.of("tea")) == [0, 3, 4]
    assert list(view.of("soup")) == [3]


async def test_an_item_is_in_the_categories_above_its_own() -> None:
    world = World(items=8)
    world.catalogue.apply([item(3, revision=2, categories=("drinks > hot > tea",))])
    view = world.catalogue.view
    assert [list(view.of(path)) for path in ("drinks", "drinks > hot", "hot")] == [[3], [3], []]


async def test_an_item_that_was_deleted_before_it_was_known_is_hidden() -> None:
    world = World(items=2)
    world.catalogue.apply([item(5, deleted=True)])
    assert list(world.catalogue.view.live) == [0, 1]
    assert len(world.retrieval) == 2


async def test_the_most_popular_of_some_come_first() -> None:
    world = World(items=8)
    ordinals, popularity = world.catalogue.popular(world.catalogue.view.live, 3)
    assert ordinals.tolist() == [7, 6, 5]
    assert popularity.tolist() == [7.0, 6.0, 5.0]
