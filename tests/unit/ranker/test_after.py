"""Waiting for an event, and doing without user_embedding."""

import asyncio
import gc
from typing import Any

from services.ranker.answers import (
    USER_EMBEDDING_UNAVAILABLE,
    EventStatus,
    Recommendation,
    Source,
)
from services.ranker.query import RecommendQuery
from tests.unit.ranker.world import World, user


async def after(world: World, event_id: str, timeout_ms: int = 250) -> Recommendation:
    return await world.ranker.recommend(
        RecommendQuery(user_id="ann", n=3, after_event_id=event_id, after_timeout_ms=timeout_ms)
    )


async def test_an_event_in_the_cached_vector_is_applied_at_once() -> None:
    world = World()
    world.cache.offer(user("ann", n=4, event_ids=("e3", "e4")))
    answer = await after(world, "e4")
    assert (answer.after_status, answer.n_applied) == (EventStatus.APPLIED, 4)
    assert world.embedding.calls == []


async def test_an_update_that_brings_the_event_ends_the_wait() -> None:
    world = World()
    world.cache.offer(user("ann", n=1, event_ids=("e1",)))
    waiting = asyncio.create_task(after(world, "e3"))
    for n in (2, 3):
        await asyncio.sleep(0)
        world.cache.update([user("ann", n=n, event_ids=("e1", f"e{n}"))])
    answer = await waiting
    assert (answer.after_status, answer.n_applied) == (EventStatus.APPLIED, 3)
    assert world.embedding.calls == []


async def test_a_person_who_was_not_cached_can_be_waited_for() -> None:
    world = World()
    waiting = asyncio.create_task(after(world, "e1"))
    await world.embedding.called.wait()
    world.cache.update([user("ann", n=1, event_ids=("e1",))])
    answer = await waiting
    assert (answer.after_status, answer.n_applied) == (EventStatus.APPLIED, 1)


async def test_what_became_of_the_event_is_asked_at_the_end() -> None:
    world = World()
    for status in (EventStatus.PENDING, EventStatus.WAITING_FOR_ITEM, EventStatus.REFUSED):
        world.embedding.events["ann", status.name] = (status, 0)
        assert (await after(world, status.name, 5)).after_status is status
    assert (await after(world, "never", 5)).after_status is EventStatus.UNKNOWN


async def test_an_event_applied_elsewhere_is_fetched() -> None:
    world = World()
    world.cache.offer(user("ann", n=1))
    world.embedding.vectors["ann"] = user("ann", n=30, towards=2)
    world.embedding.events["ann", "e5"] = (EventStatus.APPLIED, 5)
    answer = await after(world, "e5", 5)
    assert (answer.after_status, answer.n_applied) == (EventStatus.APPLIED, 30)


async def test_an_old_event_that_is_in_the_vector_costs_no_fetch() -> None:
    world = World()
    world.cache.offer(user("ann", n=30))
    world.embedding.events["ann", "e5"] = (EventStatus.APPLIED, 5)
    assert (await after(world, "e5", 5)).n_applied == 30
    assert world.embedding.calls == ["event_status e5"]


async def test_without_user_embedding_a_cached_vector_serves_as_ever() -> None:
    world = World()
    world.cache.offer(user("ann", n=4))
    world.embedding.away = True
    answer = await world.ranker.recommend(RecommendQuery(user_id="ann", n=3))
    assert (answer.degraded, answer.n_applied) == ("", 4)


async def test_without_user_embedding_others_get_a_general_list_that_says_so() -> None:
    world = World()
    world.embedding.away = True
    answer = await world.ranker.recommend(RecommendQuery(user_id="ann", n=3))
    assert (answer.degraded, answer.n_applied) == (USER_EMBEDDING_UNAVAILABLE, 0)
    assert [one.source for one in answer.items] == [Source.POPULAR] * 3


async def test_without_user_embedding_a_visit_is_served_from_the_person_s_vector() -> None:
    world = World()
    world.cache.offer(user("ann", n=4))
    world.embedding.away = True
    answer = await world.ranker.recommend(RecommendQuery(user_id="ann", session=("i1",), n=3))
    assert (answer.degraded, answer.n_applied) == (USER_EMBEDDING_UNAVAILABLE, 4)


async def test_without_user_embedding_the_event_may_still_come_through_kafka() -> None:
    world = World()
    world.embedding.away = True
    waiting = asyncio.create_task(after(world, "e1"))
    await world.embedding.called.wait()
    while not waiting.done():
        world.cache.update([user("ann", n=1, event_ids=("e1",))])
        await asyncio.sleep(0)
    answer = await waiting
    assert (answer.after_status, answer.degraded) == (EventStatus.APPLIED, "")


async def test_without_user_embedding_nothing_is_known_of_an_event() -> None:
    world = World()
    world.cache.offer(user("ann", n=4))
    world.embedding.away = True
    answer = await after(world, "e5", 5)
    assert answer.after_status is EventStatus.UNKNOWN
    assert (answer.degraded, answer.n_applied) == (USER_EMBEDDING_UNAVAILABLE, 4)


async def test_a_failure_that_nobody_waits_for_any_more_is_no_error_of_the_log() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    world = World()
    world.embedding.away = True
    world.embedding.gate = asyncio.Event()
    asked = asyncio.create_task(world.ranker.recommend(RecommendQuery(user_id="ann", n=3)))
    await world.embedding.called.wait()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    world.embedding.gate.set()
    await asyncio.sleep(0.01)
    del asked  # whose error leads to the task that failed, which is to be forgotten
    gc.collect()
    assert told == []
