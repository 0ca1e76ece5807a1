"""Kinds of lists beside the best for a person."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headrace.errors import NotFound
from headrace.store.trend import Trend
from services.ranker.answers import Recommendation, Source
from services.ranker.neighbours import Neighbours
from services.ranker.query import RecommendQuery, SimilarUsersQuery
from services.ranker.users import UserCache
from tests.unit.ranker.world import World, item, user


async def ask(world: World, **query: Any) -> Recommendation:
    return await world.ranker.recommend(RecommendQuery.model_validate({"n": 5, **query}))


def ids(answer: Recommendation) -> list[str]:
    return [one.item_id for one in answer.items]


def sources(answer: Recommendation) -> set[Source]:
    return {one.source for one in answer.items}


async def test_similar_to_several_items_lies_between_them() -> None:
    world = World()
    answer = await ask(world, kind="similar", items=["i1", "i2", "lost"], n=38)
    near, far = answer.items[:18], answer.items[18:]
    assert {one.categories for one in near} == {("coffee",), ("cocoa",)}
    assert {one.categories for one in far} == {("tea",), ("juice",)}
    assert not {"i1", "i2"} & set(ids(answer))
    assert [one.score for one in near] == pytest.approx([0.5**0.5] * 18)
    assert (sources(answer), answer.n_applied) == ({Source.SIMILAR}, 0)
    filtered = await ask(
        world, kind="similar", items=["i1"], filter={"category": {"one_of": ["tea"]}}
    )
    assert {one.categories for one in filtered.items} == {("tea",)}


async def test_similar_to_unknown_items_alone_is_not_found() -> None:
    with pytest.raises(NotFound, match="none of the items"):
        await ask(World(), kind="similar", items=["lost"])


async def test_what_is_trending_depends_on_the_window() -> None:
    world = World()
    world.trending.now = Trend(np.array([1]), np.array([2.0], dtype=np.float32))
    world.trending.windows["day"] = Trend(np.array([7, 2]), np.array([9, 4], dtype=np.float32))
    world.embedding.vectors["ann"] = user("ann", seen=[7])
    assert ids(await ask(world, kind="trending", n=2)) == ["i1", "i39"]
    assert ids(await ask(world, kind="trending", window="day", n=3)) == ["i7", "i2", "i39"]
    for_ann = await ask(world, kind="trending", window="day", n=2, user_id="ann")
    assert ids(for_ann) == ["i2", "i39"]
    assert for_ann.n_applied == 0
    tea = await ask(world, kind="trending", window="day", category="juice", n=2)
    assert ids(tea) == ["i7", "i39"]


async def test_the_newest_come_first_for_nobody() -> None:
    world = World()
    world.catalogue.apply(
        [item(5, revision=2, publish_at=900), item(9, revision=2, publish_at=950)]
    )
    world.catalogue.apply([item(7, revision=2, publish_at=2_000)])
    answer = await ask(world, kind="new", n=4)
    assert ids(answer) == ["i9", "i5", "i39", "i38"]
    assert sources(answer) == {Source.NEW}
    scores = [one.score for one in answer.items]
    assert scores == sorted(scores, reverse=True)


async def test_the_newest_are_ordered_by_taste_for_a_person() -> None:
    world = World(candidates=8)  # of i32 to i39
    world.embedding.vectors["ann"] = user("ann", towards=1, seen=[39])
    answer = await ask(world, kind="new", user_id="ann", n=8)
    assert sorted(ids(answer)) == sorted(f"i{n}" for n in range(31, 39))
    assert sources(answer) == {Source.NEW}
    assert answer.n_applied == 1
    plain = await ask(world, user_id="ann", n=39, cursor="")
    chances = {one.item_id: one.score for one in plain.items}
    assert [one.score for one in answer.items] == [chances[name] for name in ids(answer)]


async def people(world: World) -> None:
    for name, towards, recent in (("bob", 1, [5, 9]), ("cat", 1, [9]), ("dan", 0, [4])):
        world.embedding.vectors[name] = user(name, towards=towards, recent=recent)
        await world.people.vector(name)
    world.embedding.vectors["ann"] = user("ann", towards=1, recent=[1], seen=[1])


async def test_people_alike_bring_what_they_touched_last() -> None:
    world = World()
    await people(world)
    answer = await ask(world, kind="people_like_you", user_id="ann", n=4)
    assert ids(answer) == ["i9", "i5", "i39", "i38"]
    assert [one.source for one in answer.items] == [Source.PEOPLE] * 2 + [Source.POPULAR] * 2
    assert [one.score for one in answer.items[:2]] == pytest.approx([2.0, 1.5])
    assert answer.n_applied == 1


async def test_without_people_alike_there_is_what_is_liked_of_late() -> None:
    world = World()
    world.trending.now = Trend(np.array([3]), np.array([0.1], dtype=np.float32))
    world.embedding.vectors["ann"] = user("ann", towards=1)
    answer = await ask(world, kind="people_like_you", user_id="ann", n=2)
    assert [one.source for one in answer.items] == [Source.TRENDING, Source.POPULAR]
    assert all(one.score < 1 for one in answer.items)
    assert answer.n_applied == 0  # it is anybody's list


async def test_similar_people_are_the_nearest_others() -> None:
    world = World()
    await people(world)
    near = (await world.ranker.similar_users(SimilarUsersQuery(user_id="ann", n=2))).people
    assert {one.user_id for one in near} == {"bob", "cat"}
    assert [one.score for one in near] == pytest.approx([1, 1])
    everybody = await world.ranker.similar_users(SimilarUsersQuery(user_id="bob", n=9))
    assert [one.user_id for one in everybody.people][2:] == ["dan"]
    world.embedding.vectors["eve"] = user("eve", towards=1)
    await world.people.vector("eve")
    world.now += 60
    everybody = await world.ranker.similar_users(SimilarUsersQuery(user_id="bob", n=9))
    assert {one.user_id for one in everybody.people} == {"ann", "cat", "dan", "eve"}


def test_people_are_compared_by_what_they_like_alone() -> None:
    cache = UserCache(1_000_000, asyncio.new_event_loop())
    for name, vector in {"ann": [1, 0, 9], "bob": [1, 0, -9], "cat": [0, 1, 9]}.items():
        cache.offer(replace(user(name), vector=np.array(vector, dtype=np.float32)))
    near = Neighbours(cache, width=2).nearest("ann", np.array([1, 0, 9], dtype=np.float32), 2)
    assert [(one.person.user_id, one.cosine) for one in near] == [("bob", 1.0), ("cat", 0.0)]


async def test_somebody_without_history_has_no_similar_people() -> None:
    with pytest.raises(NotFound, match="new"):
        await World().ranker.similar_users(SimilarUsersQuery(user_id="new", n=2))
