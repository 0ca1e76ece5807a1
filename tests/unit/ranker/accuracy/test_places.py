"""An item's place is the one that it has in the list that people get."""

from dataclasses import replace

import numpy as np
from pyroaring import BitMap

from headrace.store.trend import Trend
from services.ranker.accuracy.places import LENGTH, Places
from services.ranker.query import RecommendQuery
from services.ranker.scoring import Scorer
from services.ranker.users import UserVector
from tests.unit.ranker.world import CATEGORIES, LatePreference, World, nothing_counted, user


def places(world: World) -> Places:
    scorer = Scorer(LatePreference(), world.catalogue, nothing_counted())
    return Places(world.catalogue, world.retrieval, scorer, world.trending, 10)


async def listed(world: World, person: UserVector | None) -> list[int]:
    query = RecommendQuery(n=LENGTH, user_id=None if person is None else person.user_id)
    if person is not None:
        world.embedding.vectors[person.user_id] = person
    answer = await world.ranker.recommend(query)
    return [int(item.item_id.removeprefix("i")) for item in answer.items]


async def test_for_a_known_person_it_is_that_of_their_list() -> None:
    world = World()
    ann = user("ann", n=3, towards=1, seen=[1, 5], recent=[5])
    shown = (await listed(world, ann))[:10]
    assert len(shown) == 10
    of = places(world)
    assert [of.place(ordinal, ann) for ordinal in shown] == list(range(1, 11))
    assert of.place(1, ann) is None


async def test_for_somebody_new_it_is_that_of_what_is_trending() -> None:
    world = World()
    world.trending.now = Trend(np.array([33, 2]), np.array([9.0, 4.0], dtype=np.float32))
    shown = await listed(world, None)
    assert shown[:2] == [33, 2]
    of = places(world)
    assert [of.place(ordinal, None) for ordinal in shown] == list(range(1, LENGTH + 1))


async def test_a_hidden_item_is_shown_to_nobody() -> None:
    world = World()
    of = places(world)
    assert of.shows(4)
    world.hide(4)
    assert not of.shows(4)
    assert not of.shows(4_000)


async def test_whoever_has_seen_everything_gets_nothing() -> None:
    world = World()
    assert places(world).place(3, user("ann", n=40, seen=range(40))) is None


async def test_what_somebody_does_not_want_is_in_no_list_of_theirs() -> None:
    world = World()
    of = places(world)
    ann = user("ann", n=3, towards=1, recent=[5])
    first, *_ = await listed(world, ann)
    eve = replace(ann, user_id="eve", unwanted=BitMap([first]))
    shown = await listed(world, eve)
    assert of.place(first, eve) is None
    assert [of.place(ordinal, eve) for ordinal in shown] == list(range(1, LENGTH + 1))
    without = replace(ann, unwanted_categories=(CATEGORIES[1],))
    assert all(of.place(ordinal, without) is None for ordinal in range(1, 40, 4))
    popular, second, *_ = await listed(world, None)
    blank = replace(ann, vector=None, unwanted=BitMap([popular]))
    assert (of.place(popular, blank), of.place(second, blank)) == (None, 1)
