"""The cache of people's vectors."""

import asyncio

from services.ranker.users import UserCache
from tests.unit.ranker.world import World, user


def cache(max_bytes: int = 1_000_000) -> UserCache:
    return UserCache(max_bytes, asyncio.get_running_loop())


async def test_updates_of_people_who_are_not_cached_are_passed_over() -> None:
    kept = cache()
    kept.update([user("ann")])
    assert kept.get("ann") is None


async def test_the_greatest_epoch_and_number_win() -> None:
    kept = cache()
    kept.offer(user("ann", n=5))
    for epoch, n, expected in ((0, 4, (0, 5)), (0, 6, (0, 6)), (1, 0, (1, 0)), (0, 9, (1, 0))):
        kept.update([user("ann", n=n, epoch=epoch)])
        vector = kept.get("ann")
        assert vector is not None
        assert vector.version == expected


async def test_an_update_during_a_fetch_is_not_missed() -> None:
    world = World()
    world.embedding.vectors["ann"] = user("ann", n=1)
    world.embedding.gate = asyncio.Event()
    fetch = asyncio.create_task(world.people.vector("ann"))
    await world.embedding.called.wait()
    world.cache.update([user("ann", n=2)])
    world.embedding.gate.set()
    assert (await fetch).n == 2
    kept = world.cache.get("ann")
    assert kept is not None
    assert kept.n == 2


async def test_a_person_is_fetched_once_for_all_who_ask() -> None:
    world = World()
    await asyncio.gather(*(world.people.vector("ann") for _ in range(5)))
    await world.people.vector("ann")
    assert world.embedding.calls == ["user_vector ann"]


async def test_a_request_that_ends_early_leaves_the_fetch_to_the_others() -> None:
    world = World()
    world.embedding.gate = asyncio.Event()
    first, second = (asyncio.create_task(world.people.vector("ann")) for _ in range(2))
    await world.embedding.called.wait()
    first.cancel()
    world.embedding.gate.set()
    assert (await second).user_id == "ann"


async def test_the_least_recently_used_leave_first() -> None:
    size = user("ann").size_bytes
    kept = cache(3 * size)
    for name in ("ann", "bob", "cid"):
        kept.offer(user(name))
    kept.get("ann")
    kept.offer(user("dan"))
    assert kept.get("bob") is None
    assert kept.get("ann") is not None
    assert (len(kept), kept.size_bytes) == (3, 3 * size)


async def test_a_vector_larger_than_the_cache_is_used_and_not_kept() -> None:
    kept = cache(10)
    assert kept.offer(user("ann", n=3)).n == 3
    assert (len(kept), kept.size_bytes) == (0, 0)


async def test_replacing_a_vector_counts_its_bytes_once() -> None:
    kept = cache()
    kept.offer(user("ann", n=1, event_ids=("e1",)))
    longer = user("ann", n=2, event_ids=("e1", "e2"))
    kept.update([longer])
    assert kept.size_bytes == longer.size_bytes
