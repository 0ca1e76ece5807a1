"""What is in a list, and in which order."""

import time

import numpy as np
import pytest

from headrace.errors import NotFound, Unavailable
from headrace.store.trend import Trend
from services.ranker.answers import RankedItem, Source
from services.ranker.query import RecommendQuery, SimilarQuery
from tests.unit.ranker.world import WIDTH, World, item, user


def ids(items: object) -> list[str]:
    assert isinstance(items, list)
    return [one.item_id for one in items]


def trend(*ordinals: int) -> Trend:
    scores = np.linspace(0.5, 0.01, len(ordinals), dtype=np.float32)
    return Trend(np.array(ordinals, dtype=np.int64), scores)


async def personal(world: World, query: RecommendQuery, **about: object) -> list[RankedItem]:
    world.embedding.vectors["ann"] = user("ann", **about)  # type: ignore[arg-type]
    return list((await world.ranker.recommend(query)).items)


async def test_the_head_orders_what_retrieval_found() -> None:
    world = World(candidates=3)
    items = await personal(world, RecommendQuery(user_id="ann", n=3), towards=1)
    assert ids(items) == ["i9", "i5", "i1"]  # found as i1, i5, i9
    assert {one.source for one in items} == {Source.RETRIEVAL}
    assert all(0 < one.score < 1 for one in items)
    assert (items[0].title, items[0].categories) == ("Title 9", ("coffee",))


async def test_where_the_head_is_no_better_the_order_of_retrieval_stays() -> None:
    world = World(candidates=3, ranking="retrieval")
    items = await personal(world, RecommendQuery(user_id="ann", n=3), towards=1)
    assert ids(items) == ["i1", "i5", "i9"]


async def test_seen_excluded_and_session_items_are_left_out() -> None:
    world = World(candidates=40)
    query = RecommendQuery(user_id="ann", n=40, exclude=("i1", "nobody"), session=("i2",))
    world.embedding.away = False
    items = await personal(world, query, seen=[3, 4])
    assert len(items) == 38  # a visit's vector has seen what was visited
    assert not {"i1", "i2"} & set(ids(items))
    items = await personal(world, RecommendQuery(user_id="ann", n=40, exclude=("i1",)), seen=[3, 4])
    assert len(items) == 37
    assert not {"i1", "i3", "i4"} & set(ids(items))


async def test_a_category_is_filled_whole_where_it_is_small() -> None:
    world = World(candidates=5)
    items = await personal(world, RecommendQuery(user_id="ann", n=20, category="cocoa"))
    assert sorted(ids(items)) == sorted(f"i{ordinal}" for ordinal in range(2, 40, 4))


async def test_a_list_longer_than_the_candidates_is_full() -> None:
    world = World(candidates=5)
    assert len(await personal(world, RecommendQuery(user_id="ann", n=30))) == 30


async def test_a_category_that_nobody_knows_gives_an_empty_list() -> None:
    world = World()
    for query in (
        RecommendQuery(n=5, category="soup"),
        RecommendQuery(user_id="ann", n=5, category="soup"),
    ):
        assert (await world.ranker.recommend(query)).items == []


async def test_everything_seen_gives_an_empty_list() -> None:
    world = World()
    assert not await personal(world, RecommendQuery(user_id="ann", n=5), seen=range(40))


async def test_nobody_gets_what_is_trending_then_what_is_popular() -> None:
    world = World()
    world.trending.now = trend(7, 12, 99_999, 3)
    answer = await world.ranker.recommend(RecommendQuery(n=5))
    assert ids(answer.items) == ["i7", "i12", "i3", "i39", "i38"]
    assert [one.source for one in answer.items] == [Source.TRENDING] * 3 + [Source.POPULAR] * 2
    scores = [one.score for one in answer.items]
    assert scores == sorted(scores, reverse=True)
    assert (answer.n_applied, answer.degraded, answer.model_version) == (0, "", "m1")


async def test_what_is_trending_is_filtered_by_category_and_exclusion() -> None:
    world = World()
    world.trending.now = trend(0, 1, 4, 8)
    query = RecommendQuery(n=3, category="tea", exclude=("i0",))
    assert ids((await world.ranker.recommend(query)).items) == ["i4", "i8", "i36"]


async def test_a_general_list_has_every_item_once_where_all_are_asked_for() -> None:
    world = World()
    world.trending.now = trend(*range(0, 40, 3))
    items = (await world.ranker.recommend(RecommendQuery(n=200))).items
    assert sorted(ids(items)) == sorted(f"i{ordinal}" for ordinal in range(40))


async def test_a_person_without_history_gets_the_general_list() -> None:
    world = World()
    world.trending.now = trend(7)
    answer = await world.ranker.recommend(RecommendQuery(user_id="new", n=2))
    assert ids(answer.items) == ["i7", "i39"]
    assert answer.n_applied == 0
    assert answer.as_of == pytest.approx(time.time(), abs=60)


async def test_a_person_s_list_says_how_far_it_has_come() -> None:
    world = World()
    world.embedding.vectors["ann"] = user("ann", n=7)
    answer = await world.ranker.recommend(RecommendQuery(user_id="ann", n=2))
    assert (answer.n_applied, answer.as_of) == (7, 1_007.0)


async def test_a_visit_makes_its_own_vector() -> None:
    world = World(candidates=3)
    answer = await world.ranker.recommend(RecommendQuery(session=("i3", "lost", "i2"), n=3))
    assert world.embedding.calls == ["session_vector None [3, 2]"]
    assert {one.categories for one in answer.items} == {("cocoa",)}
    assert answer.n_applied == 0


async def test_a_visit_to_unknown_items_alone_is_no_visit() -> None:
    world = World()
    answer = await world.ranker.recommend(RecommendQuery(session=("lost",), n=3))
    assert answer.items[0].source is Source.POPULAR
    assert world.embedding.calls == []


async def test_an_item_that_vanishes_while_a_list_is_made_leaves_no_gap() -> None:
    world = World(candidates=5, first_found_vanishes=True)
    items = await personal(world, RecommendQuery(user_id="ann", n=5), towards=1)
    assert len(items) == 5
    assert world.catalogue.ordinal("i1") is None
    assert "i1" not in ids(items)
    near = (await world.ranker.similar(SimilarQuery(item_id="i2", n=6))).items
    assert len(near) == 6
    assert "i6" not in ids(near)


async def test_similar_items_are_the_nearest_by_direction() -> None:
    world = World()
    found = await world.ranker.similar(SimilarQuery(item_id="i6", n=3))
    assert all(one.categories == ("cocoa",) for one in found.items)
    assert "i6" not in ids(found.items)
    assert [one.score for one in found.items] == pytest.approx([1, 1, 1])
    elsewhere = await world.ranker.similar(SimilarQuery(item_id="i6", n=3, category="tea"))
    assert [one.categories for one in elsewhere.items] == [("tea",)] * 3


async def test_an_item_that_is_hidden_or_unknown_has_no_similar_ones() -> None:
    world = World()
    world.catalogue.apply([item(6, revision=2, deleted=True)])
    for item_id in ("i6", "lost"):
        with pytest.raises(NotFound, match=item_id):
            await world.ranker.similar(SimilarQuery(item_id=item_id, n=3))


async def test_nothing_is_answered_before_the_catalogue_is_loaded() -> None:
    world = World()
    world.loaded = False
    with pytest.raises(Unavailable, match="loaded"):
        await world.ranker.recommend(RecommendQuery(n=1))


async def test_recent_items_may_be_hidden_or_unknown() -> None:
    world = World(candidates=3)
    world.catalogue.apply([item(5, revision=2, deleted=True)])
    items = await personal(
        world, RecommendQuery(user_id="ann", n=3), recent=[5, 70_000, 1], towards=1
    )
    assert ids(items) == ["i13", "i9", "i1"]
    assert len(world.catalogue.facts(np.array([5])).vectors[0]) == WIDTH
