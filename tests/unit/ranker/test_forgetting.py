"""A ranker that is to forget somebody has nothing of them left, and goes on with the others."""

import asyncio
from dataclasses import replace

import numpy as np
from pyroaring import BitMap

from services.ranker.accuracy.before import Before
from services.ranker.accuracy.clicks import Click
from services.ranker.accuracy.shown import Shown, ShownItem, ShownList
from services.ranker.neighbours import Neighbours
from services.ranker.people_in_memory import PeopleInMemory
from services.ranker.users import UserCache, UserVector

ANN = UserVector(
    user_id="ann",
    epoch=0,
    n=3,
    vector=np.array([1.0, 0.0], dtype=np.float32),
    recent=np.array([1]),
    seen=BitMap([1]),
    seen_bytes=9,
    event_ids=("e1",),
    last_occurred_at=1.0,
    last_accepted_at=1.0,
)
BOB = replace(ANN, user_id="bob")


async def test_whoever_is_forgotten_is_in_no_cache_and_nobodys_neighbour() -> None:
    cache = UserCache(1_000_000, asyncio.get_running_loop())
    before = Before(1_000_000)
    shown = Shown(window_s=60, max_lists=10)
    neighbours = Neighbours(cache, width=2)
    memory = PeopleInMemory([cache, before, shown], neighbours)
    for person in (ANN, BOB):
        cache.offer(person)
        before.came(person, None)
        shown.show(ShownList(person.user_id, 1.0, "m1", [ShownItem(1, 1, "retrieval", 0.5)]))
    assert ANN.vector is not None
    assert {near.person.user_id for near in neighbours.nearest("x", ANN.vector, 5)} == {
        "ann",
        "bob",
    }
    assert memory.forget(["ann", "carl"]) == 3
    assert memory.forget(["ann"]) == 0
    assert [near.person.user_id for near in neighbours.nearest("x", ANN.vector, 5)] == ["bob"]
    assert (cache.get("ann"), cache.get("bob")) == (None, BOB)
    assert cache.size_bytes == BOB.size_bytes == before.size_bytes
    assert before.at("ann", (0, 3)) == "unremembered"
    assert before.at("bob", (0, 3)) is BOB
    assert len(shown) == 1
    memory.forget_everybody()
    assert (len(cache), cache.size_bytes, before.size_bytes, len(shown)) == (0, 0, 0, 0)
    # What comes later is taken in as ever.
    shown.show(ShownList("bob", 2.0, "m1", [ShownItem(1, 1, "retrieval", 0.5)]))
    assert len(shown) == 1


def test_clicks_that_wait_are_forgotten_too() -> None:
    shown = Shown(window_s=60, max_lists=10)
    click = Click("ann", epoch=0, n=1, event_id="e1", ordinal=1, type=2, at=1.0, backfill=False)
    shown.take([click], now=1.0)
    assert shown.forget(["ann"]) == 1
    assert shown.forget(["ann"]) == 0
