"""Lists of many people at once: the same ones, and nobody else waits."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pyroaring import BitMap

from headrace.api.ranker.v1 import ranker_pb2 as api
from headrace.contracts.filters import Condition, OneCategory
from headrace.errors import InvalidInput, Unavailable
from headrace.runtime.share import Share
from services.ranker.answers import PersonList
from services.ranker.batches import PAGE, Batches
from services.ranker.grpc import batch_query
from services.ranker.query import BatchQuery, RecommendQuery
from tests.unit.ranker.world import World, user


class Batching(World):
    """A world in which people are listed together."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.batches = Batches(
            model_version="m1",
            lists=self.lists,
            vectors=self.embedding,
            threads=ThreadPoolExecutor(1),
            share=Share(1.0),
            loaded=lambda: self.loaded,
        )

    def people_come(self, count: int) -> list[str]:
        """People of all tastes and histories, and some without."""
        for number in range(count):
            seen = list(range(number % 7))
            person = user(
                f"p{number:04d}", n=number % 5, towards=number, seen=seen, recent=seen[::-1]
            )
            self.embedding.vectors[person.user_id] = person
        return sorted(self.embedding.vectors)

    async def made(self, **asked: Any) -> list[PersonList]:
        query = BatchQuery(**{"n": 5, **asked})
        return [one async for lists in self.batches.made(query) for one in lists]


@pytest.mark.parametrize("ranking", ["ncf", "retrieval"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"include_seen": True},
        {"category": "tea"},
        {"filter": Condition(category=OneCategory(one_of=("tea", "juice")))},
        {"n": 30},
        {"exclude": ("i1", "i2")},
        {"kind": "new"},
        {"kind": "trending", "window": "day"},
        {"kind": "similar", "items": ("i3",)},
        {"kind": "people_like_you"},
        {"max_per_category": 1, "diversity": 0.5},
        {"pin": ({"item_id": "i9", "position": 2},)},
        {"boost": ({"filter": {"category": {"one_of": ["tea"]}}, "factor": 9.0},)},
    ],
)
async def test_each_list_is_the_one_that_its_person_gets_alone(
    ranking: str, asked: dict[str, Any]
) -> None:
    world = Batching(ranking=ranking)
    names = [*world.people_come(45), "stranger"]
    for one in await world.made(user_ids=tuple(names), **asked):
        alone = await world.ranker.recommend(
            RecommendQuery(**{"n": 5, **asked, "user_id": one.user_id})
        )
        assert list(one.items) == list(alone.items)
        assert one.n_applied == alone.n_applied


async def test_what_somebody_wants_in_no_list_is_in_none() -> None:
    world = Batching()
    ann = replace(user("ann", n=2), unwanted=BitMap([1]), unwanted_categories=("cocoa",))
    new = replace(user("new", n=0), n=1, unwanted=BitMap([39]))
    world.embedding.vectors |= {"ann": ann, "new": new}
    for one in await world.made(user_ids=("ann", "new", "stranger"), n=30):
        query = RecommendQuery(user_id=one.user_id, n=30)
        assert list(one.items) == list((await world.ranker.recommend(query)).items)


async def test_they_come_in_the_order_asked_for_twice_where_asked_twice() -> None:
    world = Batching()
    world.people_come(20)
    names = ("p0007", "stranger", "p0001", "p0007")
    assert tuple(one.user_id for one in await world.made(user_ids=names)) == names


async def test_everybody_comes_page_by_page_and_since_a_moment_those_alone() -> None:
    world = Batching(items=8)
    names = world.people_come(PAGE + 30)
    assert [one.user_id for one in await world.made(n=1)] == names
    since = datetime.fromtimestamp(1_004, UTC)
    late = await world.made(n=1, active_since=since)
    assert {one.n_applied for one in late} == {4}
    assert len(late) == len(names) // 5


async def test_lists_that_are_made_one_by_one_hold_a_thread_for_one_each() -> None:
    world = Batching(items=8)
    world.people_come(20)
    sizes = [len(some) async for some in world.batches.made(BatchQuery(n=2))]
    arranged = [len(some) async for some in world.batches.made(BatchQuery(n=2, diversity=0.5))]
    assert (max(sizes), arranged) == (16, [1] * 20)


async def test_what_nobody_takes_is_not_made() -> None:
    world = Batching(items=8)
    world.people_come(PAGE + 30)
    lists = world.batches.made(BatchQuery(n=1))
    async with aclosing(lists):
        await anext(lists)
        await anext(lists)
        assert world.embedding.calls == ["page "]


async def test_the_cache_of_those_who_are_here_stays_theirs() -> None:
    world = Batching()
    world.people_come(40)
    await world.made()
    assert len(world.cache) == 0


async def test_without_people_s_vectors_or_a_catalogue_there_are_no_lists() -> None:
    world = Batching()
    world.embedding.away = True
    with pytest.raises(Unavailable):
        await world.made(user_ids=("ann",))
    world.loaded = False
    with pytest.raises(Unavailable, match="being loaded"):
        await world.made()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 201}, "n"),
        ({"n": 1, "user_ids": ["a"] * 10_001}, "user_ids"),
        ({"n": 1, "user_ids": ["a", ""]}, "user_ids[1]"),
    ],
)
def test_what_cannot_be_asked_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        batch_query(api.BatchRecommendRequest(**wrong))
    assert [one.field for one in refused.value.violations] == [field]


def test_names_and_a_moment_exclude_each_other() -> None:
    request = api.BatchRecommendRequest(n=1, user_ids=["ann"])
    request.active_since.FromDatetime(datetime.now(UTC))
    with pytest.raises(InvalidInput, match="goes without user_ids"):
        batch_query(request)
