"""What of somebody who was erased is still under way makes no state, and is not missed."""

from collections.abc import Sequence

from services.user_embedding.states import UserState
from tests.unit.user_embedding.memory_storage import MemoryStates
from tests.unit.user_embedding.worlds import World, entry


class ErasedStates(MemoryStates):
    """Refuses what was before the epochs of `erased`, as Postgres does."""

    def __init__(self, erased: dict[str, int]) -> None:
        super().__init__()
        self._erased = erased

    def save(self, states: Sequence[UserState]) -> set[str]:
        kept = [one for one in states if one.epoch >= self._erased.get(one.user_id, 0)]
        return super().save(kept)


def _erase(world: World, user_id: str) -> None:
    world.logs.entries.pop(user_id, None)
    world.logs.gone[user_id] = 1
    world.states.states.pop(user_id, None)


def test_an_interaction_of_before_makes_no_state() -> None:
    world = World(states=ErasedStates({"ada": 1}))
    _erase(world, "ada")
    outcome = world.apply(entry("ada", 1, 5), entry("bob", 1, 5))
    assert [state.user_id for state in outcome.states] == ["bob"]
    assert not outcome.unlogged
    assert set(world.states.states) == {"bob"}
    assert "ada" not in world.cache.get(["ada"])


def test_one_that_follows_on_a_gap_is_not_missed() -> None:
    world = World(states=ErasedStates({"ada": 1}))
    _erase(world, "ada")
    outcome = world.apply(entry("ada", 6, 5))
    assert (list(outcome.states), list(outcome.unlogged)) == ([], [])


def test_a_state_in_memory_is_not_moved_on() -> None:
    erased: dict[str, int] = {}
    world = World(states=ErasedStates(erased))
    world.apply(entry("ada", 1, 5))
    erased["ada"] = 1
    _erase(world, "ada")
    outcome = world.apply(entry("ada", 2, 6))
    assert (list(outcome.states), list(outcome.unlogged)) == ([], [])
    assert not world.states.states


def test_whoever_comes_again_begins_in_the_next_epoch() -> None:
    world = World(states=ErasedStates({"ada": 1}))
    _erase(world, "ada")
    world.logs.epochs["ada"] = 1
    anew = entry("ada", 1, 9, epoch=1)
    world.logs.append(anew)
    world.apply(entry("ada", 7, 5), anew)
    assert world.states.states["ada"].position == (1, 1)
    assert world.states.states["ada"].recent_ordinals == (9,)


def test_forgetting_drops_the_state_in_memory() -> None:
    world = World()
    world.apply(entry("ada", 1, 5), entry("bob", 1, 5))
    assert world.service.forget(["ada", "nobody"]) == 1
    assert set(world.cache.get(["ada", "bob"])) == {"bob"}
    world.service.forget_everybody()
    assert not world.cache.get(["bob"])
