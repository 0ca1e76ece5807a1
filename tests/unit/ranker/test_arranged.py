"""Lists with boosts, pins, limits and pages."""

import math
from typing import Any

import pytest
from pyroaring import BitMap

from headrace.errors import InvalidInput
from services.ranker import cursor
from services.ranker.answers import RankedItem, Recommendation, Source
from services.ranker.query import RecommendQuery
from tests.unit.ranker.world import World, item, user

COCOA = {"category": {"one_of": ["cocoa"]}}


async def ask(world: World, **query: Any) -> Recommendation:
    world.embedding.vectors.setdefault("ann", user("ann", towards=1))
    given = {"user_id": "ann", "n": 5, **query}
    return await world.ranker.recommend(RecommendQuery.model_validate(given))


def ids(answer: Recommendation) -> list[str]:
    return [one.item_id for one in answer.items]


def odds(one: RankedItem) -> float:
    return one.score / (1 - one.score)


async def test_a_boost_multiplies_the_odds_and_reaches_what_was_not_near() -> None:
    plain = {one.item_id: one for one in (await ask(World(), n=40, cursor="")).items}
    boost = [{"filter": COCOA, "factor": 50}]
    answer = await ask(World(candidates=3), n=10, boost=boost)  # 3 near ones, none is cocoa
    cocoa = [one for one in answer.items if one.categories == ("cocoa",)]
    assert len(cocoa) == 10
    assert answer.items[0].source is Source.RETRIEVAL
    for one in cocoa:
        assert odds(one) / odds(plain[one.item_id]) == pytest.approx(50, rel=1e-3)


async def test_boosts_of_one_item_multiply_and_below_one_sink() -> None:
    plain = (await ask(World(), n=3, cursor="")).items
    boosts = [
        {"filter": {"category": {"one_of": ["coffee", "tea"]}}, "factor": f} for f in (3, 0.5)
    ]
    answer = await ask(World(), n=40, boost=boosts)
    lifted = {one.item_id: one for one in answer.items}[plain[0].item_id]
    assert math.log(odds(lifted)) - math.log(odds(plain[0])) == pytest.approx(math.log(1.5), 1e-3)
    sunk = await ask(World(), n=10, boost=[{"filter": {"none": [COCOA]}, "factor": 0.01}])
    assert {one.categories for one in sunk.items} == {("cocoa",)}


async def test_boosts_work_on_lists_for_nobody() -> None:
    answer = await ask(World(), user_id=None, n=3, boost=[{"filter": COCOA, "factor": 100}])
    assert ids(answer) == ["i38", "i34", "i30"]


async def test_a_pinned_item_has_its_place_whatever_the_rules_say() -> None:
    pins = [{"item_id": "i2", "position": 2}, {"item_id": "i3", "position": 9}]
    world = World()
    world.embedding.vectors["ann"] = user("ann", towards=1, seen=[2])
    answer = await ask(world, pin=pins, filter={"category": {"one_of": ["coffee"]}})
    assert ids(answer)[1] == "i2"
    assert [one.source for one in answer.items].count(Source.PINNED) == 1
    assert "i3" not in ids(answer)
    assert {one.categories for one in answer.items} == {("coffee",), ("cocoa",)}


async def test_hidden_unknown_and_excluded_items_are_not_pinned() -> None:
    world = World()
    world.catalogue.apply([item(2, revision=2, deleted=True)])
    pins = [{"item_id": name, "position": n} for n, name in enumerate(["i2", "x", "i3"], 1)]
    answer = await ask(world, pin=pins, exclude=["i3"])
    assert len(answer.items) == 5
    assert Source.PINNED not in {one.source for one in answer.items}


async def test_a_limit_per_category_is_filled_from_other_categories() -> None:
    answer = await ask(World(candidates=5), n=8, max_per_category=2)
    categories = [one.categories for one in answer.items]
    assert len(categories) == 8
    assert all(categories.count(one) == 2 for one in categories)
    assert len((await ask(World(candidates=5), n=9, max_per_category=2)).items) == 8


async def test_diversity_mixes_the_categories() -> None:
    same = await ask(World(candidates=5), n=4, cursor="")
    mixed = await ask(World(candidates=40), n=4, diversity=0.9)
    assert len({one.categories for one in same.items}) == 1
    assert len({one.categories for one in mixed.items}) == 4


@pytest.mark.parametrize("user_id", ["ann", None])
async def test_pages_never_repeat_and_end(user_id: str | None) -> None:
    world = World(candidates=5)
    seen: list[str] = []
    pages, following = 0, ""
    pin = [{"item_id": "i0", "position": 9}]
    while pages == 0 or following:
        answer = await ask(world, user_id=user_id, n=7, cursor=following, pin=pin)
        seen += ids(answer)
        pages, following = pages + 1, answer.next_cursor
        world.embedding.vectors["ann"] = user("ann", n=pages + 1, towards=pages)  # the person moves
        world.cache.update([world.embedding.vectors["ann"]])
    assert pages == 6
    assert sorted(seen) == sorted(f"i{ordinal}" for ordinal in range(40))
    assert seen[8] == "i0"


async def test_without_a_cursor_there_are_no_pages() -> None:
    assert (await ask(World())).next_cursor == ""


async def test_an_arranged_list_is_full_though_an_item_vanishes() -> None:
    world = World(candidates=5, first_found_vanishes=True)
    answer = await ask(world, cursor="")
    assert len(answer.items) == 5
    assert world.catalogue.ordinal("i1") is None
    assert "i1" not in ids(answer)


@pytest.mark.parametrize("wrong", ["x", "1?", "1A", "2AAAA", "1" + "A" * 5_000, "1é"])
async def test_a_cursor_that_cannot_be_read_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        await ask(World(), cursor=wrong)


def test_a_cursor_carries_what_was_shown_up_to_a_limit() -> None:
    for shown in (BitMap([0]), BitMap([1, 2**24 - 1]), BitMap(range(5, 1_005))):
        assert cursor.decode(cursor.encode(shown)) == shown
    assert cursor.encode(BitMap(range(1_001))) == ""


async def test_explored_lists_tell_how_probable_each_place_was() -> None:
    world = World(candidates=40)
    pin = [{"item_id": "i3", "position": 2}]
    lists = [await ask(world, explore=0.5, pin=pin, n=6) for _ in range(12)]
    assert len({tuple(ids(answer)) for answer in lists}) > 1
    for answer in lists:
        assert all(0 < one.propensity <= 1 for one in answer.items if one.propensity is not None)
        assert answer.items[1].propensity == 1
        assert min(one.propensity or 0 for one in answer.items) < 1
    assert {one.propensity for one in (await ask(world, cursor="")).items} == {None}
