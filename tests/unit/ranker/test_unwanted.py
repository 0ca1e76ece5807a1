"""What a person does not want is in no list of theirs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyroaring import BitMap

from headrace.store.trend import Trend
from services.ranker.answers import Recommendation
from services.ranker.query import RecommendQuery
from services.ranker.users import UserVector
from tests.unit.ranker.world import World, item, user

EVERY_KIND: list[dict[str, Any]] = [
    {},
    {"explain": True},
    {"diversity": 0.5},
    {"session": ["i9"]},
    {"kind": "new"},
    {"kind": "trending"},
    {"kind": "people_like_you"},
    {"kind": "similar", "items": ["i9"]},
    {"pin": [{"item_id": "i2", "position": 1}, {"item_id": "i1", "position": 2}]},
]


async def ask(world: World, who: UserVector, **query: Any) -> Recommendation:
    world.embedding.vectors[who.user_id] = who
    world.cache.update([who])
    asked = {"n": 40, "user_id": who.user_id, "include_seen": True, **query}
    return await world.ranker.recommend(RecommendQuery.model_validate(asked))


def ids(answer: Recommendation) -> set[str]:
    return {one.item_id for one in answer.items}


@pytest.mark.parametrize("query", EVERY_KIND)
async def test_an_item_and_the_items_of_a_category_are_in_no_kind_of_list(
    query: dict[str, Any],
) -> None:
    world = World(candidates=40)
    world.trending.now = Trend(np.array([1, 2]), np.array([3, 2], dtype=np.float32))
    ann = user("ann", towards=1, seen=[1], recent=[2, 5])
    assert {"i1", "i2"} <= ids(await ask(world, ann, **query))
    ann = replace(ann, n=2, unwanted=BitMap([1]), unwanted_categories=("cocoa", "nothing"))
    listed = ids(await ask(world, ann, **query))
    assert len(listed) >= 28
    assert not {f"i{n}" for n in (1, *range(2, 40, 4))} & listed
    assert "i5" in listed


async def test_whom_nothing_else_is_known_of_is_heard_too() -> None:
    world = World()
    nobody = replace(user("ann", n=0), n=1, unwanted=BitMap([39]))
    answer = await ask(world, nobody, n=2)
    assert ([one.item_id for one in answer.items], answer.n_applied) == (["i38", "i37"], 0)


async def test_a_category_means_those_below_it_and_what_comes_into_it_later() -> None:
    world = World()
    world.catalogue.apply([item(3, revision=2, categories=("tea > green",))])
    ann = replace(user("ann"), unwanted_categories=("tea",))
    assert not {"i3", "i4"} & ids(await ask(world, ann))
    world.catalogue.apply([item(5, revision=2, categories=("tea > black",))])
    assert "i5" not in ids(await ask(world, ann))


async def test_others_are_shown_it_all_the_same() -> None:
    world = World()
    world.embedding.vectors["ann"] = replace(user("ann"), unwanted=BitMap([1]))
    assert "i1" in ids(await ask(world, user("bob")))
