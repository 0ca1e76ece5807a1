"""What is not wanted keeps out of lists and leaves the person's vector as it was."""

import numpy as np
import pytest
from pyroaring import BitMap

from headrace.contracts.events import EventType
from services.user_embedding.interactions import Interaction
from services.user_embedding.memory import UNWANTED_CATEGORIES, unwanted_categories
from services.user_embedding.messages import user_vector
from tests.unit.user_embedding.worlds import World, entry, random_log, replayed


def unwanted(n: int, item: int = 0, category: str = "") -> Interaction:
    kind = EventType.NOT_INTERESTED
    return entry("ada", n, item, kind, at_s=1e7)._replace(category=category)


@pytest.mark.parametrize(("item", "category"), [(5, ""), (0, "Tea")])
def test_the_vector_is_that_of_a_log_without_it(item: int, category: str) -> None:
    log = random_log("ada", 30)
    later = entry("ada", 32, 7, at_s=2e7)
    world = World()
    world.apply(*log, unwanted(31, item, category), later)
    state = world.states.states["ada"]
    without = replayed([*log, later._replace(n=31)])
    np.testing.assert_allclose(state.vector, without.vector, atol=1e-5)
    assert state.seen == without.seen
    assert state.last_occurred_at == without.last_occurred_at
    assert state.unwanted == BitMap([item] if item else [])
    assert state.unwanted_categories == ((category,) if category else ())


def test_an_unwanted_item_pulls_nothing_in_any_more() -> None:
    world = World()
    world.apply(entry("ada", 1, 5), entry("ada", 2, 6), unwanted(3, 5))
    assert world.states.states["ada"].recent_ordinals == (6,)


def test_who_only_said_what_they_do_not_want_is_otherwise_as_nobody() -> None:
    world = World()
    world.apply(unwanted(1, 5))
    state = world.states.states["ada"]
    assert (state.blank, state.n, state.unwanted) == (True, 1, BitMap([5]))
    told = user_vector(state, "m1")
    assert (told.vector, BitMap.deserialize(told.unwanted)) == (b"", BitMap([5]))


def test_it_is_told_to_rankers_and_outlives_the_process() -> None:
    world = World()
    log = [entry("ada", 1, 5), unwanted(2, 6), unwanted(3, category="Tea")]
    world.logs.append(*log)
    world.apply(*log)
    told = user_vector(world.another_process().service.current("ada"), "m1")
    assert BitMap.deserialize(told.unwanted) == BitMap([6])
    assert list(told.unwanted_categories) == ["Tea"]
    rebuilt = World(logs=world.logs).service.current("ada")
    assert (rebuilt.unwanted, rebuilt.unwanted_categories) == (BitMap([6]), ("Tea",))


def test_taken_back_it_is_wanted_again_unless_it_was_said_twice() -> None:
    world = World()
    log = [unwanted(1, 6), unwanted(2, category="Tea"), unwanted(3, 6), unwanted(4, 7)]
    world.logs.append(*log)
    world.apply(*log)
    for n, items, categories in ((2, [6, 7], ()), (4, [6], ()), (1, [6], ()), (3, [], ())):
        world.apply(world.logs.retract("ada", n))
        state = world.states.states["ada"]
        assert (state.unwanted, state.unwanted_categories) == (BitMap(items), categories)


def test_of_categories_the_last_ones_said_count() -> None:
    names = [f"c{n}" for n in range(UNWANTED_CATEGORIES)]
    assert unwanted_categories(names, ["c1"]) == (names[0], *names[2:], "c1")
    assert unwanted_categories(names, ["new", "new"]) == (*names[1:], "new")


def test_no_ranker_hears_of_who_does_not_want_personal_lists() -> None:
    world = World()
    world.apply(entry("ada", 1, 5), entry("bob", 1, 5))
    world.logs.unwilling = {"ada"}
    refusals = [unwanted(2, 6), unwanted(1, 7)._replace(user_id="bob", n=2)]
    outcome = world.apply(*refusals)
    assert [state.user_id for state in outcome.states] == ["bob"]
    assert world.states.states["ada"].unwanted == BitMap([6])
    # Nor after the log was looked at again.
    world.logs.append(entry("ada", 1, 5), *refusals[:1], unwanted(3, 8))
    world.service.repair(["ada"])
    assert world.states.states["ada"].unwanted == BitMap([6, 8])
    assert not world.announced
