"""What a batch of interactions does to states, whatever its order, repeats, gaps and rivals."""

import numpy as np
import pytest

from headrace.contracts.events import EventType
from headrace.errors import Unavailable
from services.user_embedding.interactions import EventStatus
from tests.unit.user_embedding.worlds import World, entry, random_log, replayed, vector_of


def test_an_interaction_moves_its_person_and_nobody_else() -> None:
    world = World()
    world.apply(entry("ada", 1, 5), entry("bob", 1, 6))
    before = world.states.states["bob"]
    outcome = world.apply(entry("ada", 2, 7))
    assert [state.user_id for state in outcome.states] == ["ada"]
    assert world.states.states["ada"].n == 2
    assert world.states.states["bob"] is before


def test_a_repeated_interaction_changes_nothing_and_is_published_again() -> None:
    world = World()
    first = vector_of(world.apply(entry("ada", 1, 5)), "ada")
    again = world.apply(entry("ada", 1, 5))
    np.testing.assert_array_equal(vector_of(again, "ada"), first)
    assert not again.moved


def test_a_repeat_within_a_batch_counts_once() -> None:
    world = World()
    world.apply(entry("ada", 1, 5), entry("ada", 2, 6), entry("ada", 1, 5), entry("ada", 2, 6))
    alone = replayed([entry("ada", 1, 5), entry("ada", 2, 6)])
    np.testing.assert_allclose(world.states.states["ada"].vector, alone.vector, atol=1e-6)


def test_a_gap_is_filled_from_the_log() -> None:
    log = random_log("ada", 6)
    world = World()
    world.logs.append(*log)
    world.apply(*log[:2])
    outcome = world.apply(log[5])
    assert world.logs.reads == 1
    np.testing.assert_allclose(vector_of(outcome, "ada"), replayed(log).vector, atol=1e-6)


def test_a_person_without_a_state_is_rebuilt_from_the_log() -> None:
    log = random_log("ada", 700)  # several pages
    world = World()
    world.logs.append(*log)
    outcome = world.apply(log[-1])
    np.testing.assert_allclose(vector_of(outcome, "ada"), replayed(log).vector, atol=1e-5)


def test_an_interaction_beyond_the_log_is_named() -> None:
    world = World()
    world.apply(entry("ada", 1, 5))
    world.logs.append(entry("ada", 1, 5))
    outcome = world.apply(entry("ada", 9, 5))
    assert [unlogged.n for unlogged in outcome.unlogged] == [9]
    assert world.states.states["ada"].n == 1


@pytest.mark.parametrize("batch", [1, 7, 64, 400])
def test_the_vector_does_not_depend_on_how_the_log_was_batched(batch: int) -> None:
    users = {f"user-{i}": random_log(f"user-{i}", 10 + 15 * i) for i in range(6)}
    order = np.random.default_rng(1).permutation([u for u, log in users.items() for _ in log])
    feeds = {user: iter(log) for user, log in users.items()}
    arrivals = [next(feeds[user]) for user in order]
    world = World()
    for start in range(0, len(arrivals), batch):
        world.apply(*arrivals[start : start + batch])
    for user, log in users.items():
        expected, actual = replayed(log), world.states.states[user]
        np.testing.assert_allclose(actual.vector, expected.vector, atol=1e-5)
        np.testing.assert_allclose(actual.state, expected.state, atol=1e-5)
        assert actual.recent_ordinals == expected.recent_ordinals
        assert actual.recent_event_ids == expected.recent_event_ids
        assert actual.seen == expected.seen


def test_a_batch_takes_one_step_a_round() -> None:
    world = World()
    world.apply(*(entry(f"user-{i}", n + 1, 5) for i in range(20) for n in range(40)))
    assert (world.tower.steps, world.tower.sequences) == (40, 0)


def test_a_long_log_of_few_people_goes_as_sequences() -> None:
    world = World()
    world.apply(*(entry(f"user-{i}", n + 1, 5) for i in range(9) for n in range(10)))
    assert (world.tower.steps, world.tower.sequences) == (10, 0)
    world.apply(*(entry("user-0", n + 11, 5) for n in range(300)))
    assert (world.tower.steps, world.tower.sequences) == (10, 2)


def test_a_later_state_of_another_process_stays_and_is_published() -> None:
    log = random_log("ada", 8)
    stale = World()
    stale.apply(*log[:2])
    other = stale.another_process()
    other.apply(*log[2:8])
    outcome = stale.apply(log[2])
    assert stale.states.states["ada"].n == 8
    np.testing.assert_allclose(vector_of(outcome, "ada"), replayed(log).vector, atol=1e-6)
    assert stale.cache.get(["ada"])["ada"].n == 8


def test_a_greater_epoch_begins_the_person_anew() -> None:
    world = World()
    world.apply(entry("ada", 1, 5, EventType.LIKE), entry("ada", 2, 6))
    world.logs.erase("ada")
    anew = entry("ada", 1, 9, epoch=1)
    world.logs.append(anew)
    world.apply(anew)
    state = world.states.states["ada"]
    assert state.position == (1, 1)
    assert state.recent_ordinals == (9,)
    assert not state.seen


def test_a_lower_epoch_is_ignored() -> None:
    world = World()
    world.logs.erase("ada")
    anew = entry("ada", 1, 9, epoch=1)
    world.logs.append(anew)
    world.apply(anew)
    outcome = world.apply(entry("ada", 2, 5, epoch=0))
    assert world.states.states["ada"].position == (1, 1)
    assert not outcome.unlogged


def test_while_storage_is_away_nothing_is_kept_in_memory() -> None:
    world = World()
    world.apply(entry("ada", 1, 5))
    world.states.away = True
    with pytest.raises(Unavailable):
        world.apply(entry("ada", 2, 6))
    assert world.cache.get(["ada"])["ada"].n == 1
    world.states.away = False
    world.apply(entry("ada", 2, 6))
    assert world.states.states["ada"].n == 2


def test_states_come_from_memory_until_the_partition_is_lost() -> None:
    world = World()
    world.apply(entry("ada", 1, 5), partition=3)
    loads = world.states.loads
    world.apply(entry("ada", 2, 6), partition=3)
    assert world.states.loads == loads
    world.service.lose([3])
    world.apply(entry("ada", 3, 7), partition=3)
    assert world.states.loads == loads + 1


def test_an_item_that_nobody_knows_counts_and_moves_nothing() -> None:
    world = World(unknown={13})
    before = vector_of(world.apply(entry("ada", 1, 5)), "ada")
    after = world.apply(entry("ada", 2, 13))
    np.testing.assert_array_equal(vector_of(after, "ada"), before)
    assert world.states.states["ada"].n == 2


def test_a_person_without_history_is_blank() -> None:
    state = World().service.current("nobody")
    assert state.blank
    assert state.n == 0


def test_reading_a_person_behind_the_log_rebuilds_stores_and_announces() -> None:
    log = random_log("ada", 40)
    world = World()
    world.logs.append(*log)
    state = world.service.current("ada")
    np.testing.assert_allclose(state.vector, replayed(log).vector, atol=1e-5)
    assert world.states.states["ada"].n == 40
    assert [told.n for told in world.announced] == [40]
    assert world.service.current("ada").n == 40
    assert len(world.announced) == 1


def test_a_person_in_memory_is_answered_while_storage_is_away() -> None:
    world = World()
    world.apply(entry("ada", 1, 5))
    world.logs.away = True
    assert world.service.current("ada").n == 1
    with pytest.raises(Unavailable):
        world.service.current("bob")


def test_a_repair_leaves_the_states_in_memory_up_to_date() -> None:
    log = random_log("ada", 5)
    world = World()
    world.logs.append(*log)
    world.apply(*log[:2])
    world.service.repair(["ada"])
    assert world.cache.get(["ada"])["ada"].n == 5
    world.apply(*log[2:])
    assert world.states.states["ada"].n == 5


def test_freshness_is_not_told_of_a_state_made_anew() -> None:
    world = World()
    world.apply(entry("ada", 1, 5))
    world.logs.append(entry("ada", 1, 5), entry("ada", 2, 6), entry("bob", 1, 7))
    world.logs.append(entry("eve", 1, 8))
    # bob and eve have none yet, as everybody under a new model.
    world.service.repair(["ada", "bob"])
    assert world.service.current("eve").last_accepted_at is not None
    ada, bob, eve = sorted(world.announced, key=lambda state: state.user_id)
    assert ada.last_accepted_at is not None
    assert (bob.n, bob.last_accepted_at) == (eve.n, eve.last_accepted_at) == (1, None)
    assert world.states.states["bob"].last_accepted_at is not None


def test_a_session_advances_a_copy_and_stores_nothing() -> None:
    world = World(unknown={13})
    log = [entry("ada", 1, 5)]
    world.logs.append(*log)
    world.apply(*log)
    session = world.service.embed_session("ada", [6, 13, 7])
    assert (session.n, session.recent_ordinals, set(session.seen)) == (1, (5, 6, 7), {6, 7})
    stored = world.states.states["ada"]
    assert stored.recent_ordinals == (5,)
    assert not np.allclose(session.vector, stored.vector)


def test_a_session_of_unknown_items_is_what_the_person_is() -> None:
    assert World(unknown={13}).service.embed_session("", [13]).blank


def test_the_log_tells_what_became_of_an_event() -> None:
    world = World()
    world.logs.append(entry("ada", 1, 5))
    assert world.service.event_status("ada", "ada-1") == (EventStatus.PENDING, 1)
    assert world.service.event_status("ada", "other") == (EventStatus.UNKNOWN, 0)
