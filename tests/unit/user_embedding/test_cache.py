"""States in memory."""

from services.user_embedding.cache import StateCache, size_of
from services.user_embedding.states import UserState
from tests.unit.user_embedding.worlds import World, entry


def state(user_id: str, n: int = 1) -> UserState:
    world = World()
    world.apply(*(entry(user_id, i + 1, 5) for i in range(n)))
    return world.states.states[user_id]


def test_the_least_recently_used_state_goes_first() -> None:
    states = [state(f"user-{i}") for i in range(3)]
    cache = StateCache(2 * max(map(size_of, states)))
    cache.put((each, 0) for each in states[:2])
    cache.get(["user-0"])
    cache.put([(states[2], 0)])
    assert set(cache.get(["user-0", "user-1", "user-2"])) == {"user-0", "user-2"}


def test_an_older_state_never_replaces_a_later_one() -> None:
    cache = StateCache(1_000_000)
    cache.put([(state("ada", 3), 0)])
    cache.put([(state("ada", 2), 0)])
    cache.refresh([state("ada", 1)])
    assert cache.get(["ada"])["ada"].n == 3


def test_a_refresh_brings_in_nobody_new() -> None:
    cache = StateCache(1_000_000)
    cache.put([(state("ada", 1), 0)])
    cache.refresh([state("ada", 2), state("bob", 2)])
    assert {user: each.n for user, each in cache.get(["ada", "bob"]).items()} == {"ada": 2}


def test_a_lost_partition_takes_its_states_along() -> None:
    cache = StateCache(1_000_000)
    cache.put([(state("ada"), 0), (state("bob"), 1)])
    cache.drop_partitions([0, 2])
    assert set(cache.get(["ada", "bob"])) == {"bob"}
