"""What was taken back leaves no trace in a person's state, and its place in the log stays."""

import numpy as np
import pytest

from headrace.contracts.events import EventType
from tests.unit.user_embedding.worlds import START, World, entry, random_log, replayed, vector_of


@pytest.mark.parametrize("length", [2, 40, 700])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_the_state_is_that_of_a_log_that_never_had_the_entry(length: int, place: str) -> None:
    log = random_log("ada", length)
    n = {"first": 1, "middle": (length + 1) // 2, "last": length}[place]
    world = World()
    world.logs.append(*log)
    world.apply(*log)
    outcome = world.apply(world.logs.retract("ada", n))

    without = replayed([e._replace(n=i + 1) for i, e in enumerate(log[: n - 1] + log[n:])])
    state = world.states.states["ada"]
    np.testing.assert_allclose(vector_of(outcome, "ada"), without.vector, atol=1e-5)
    np.testing.assert_allclose(state.state, without.state, atol=1e-5)
    assert state.recent_ordinals == without.recent_ordinals
    assert state.seen == without.seen
    assert state.last_occurred_at == without.last_occurred_at
    assert state.position == (1, length + 1)
    assert state.recent_event_ids[-1] == f"retract-{n}"


def test_what_follows_on_a_retraction_is_stepped_from_there() -> None:
    log = random_log("ada", 9)
    world = World()
    world.logs.append(*log)
    world.apply(*log)
    world.apply(world.logs.retract("ada", 4))
    reads = world.logs.reads
    later = entry("ada", 11, 7, epoch=1, at_s=1e6)
    world.logs.append(later)
    world.apply(later)
    assert world.logs.reads == reads
    kept = [*log[:3], *log[4:], later._replace(epoch=0)]
    without = replayed([e._replace(n=i + 1) for i, e in enumerate(kept)])
    np.testing.assert_allclose(world.states.states["ada"].vector, without.vector, atol=1e-5)


def test_a_repeat_of_what_was_taken_back_changes_nothing() -> None:
    log = random_log("ada", 5)
    world = World()
    world.logs.append(*log)
    world.apply(*log)
    retraction = world.logs.retract("ada", 2)
    world.apply(retraction)
    before = world.states.states["ada"]
    world.apply(log[1], log[1]._replace(epoch=1), retraction)
    assert world.states.states["ada"] is before


def test_whose_only_entry_was_taken_back_is_as_nobody() -> None:
    world = World()
    only = entry("ada", 1, 5, EventType.LIKE)
    world.logs.append(only)
    world.apply(only)
    world.apply(world.logs.retract("ada", 1))
    state = world.states.states["ada"]
    assert state.blank
    assert (state.n, len(state.seen), state.last_occurred_at) == (2, 0, None)


def test_time_passed_is_counted_from_the_last_entry_that_stands() -> None:
    """Not from one that was taken back, nor from taking back."""
    log = [entry("ada", 1, 5), entry("ada", 2, 6, at_s=500), entry("ada", 3, 7, at_s=900)]
    world = World()
    world.logs.append(*log[:2])
    world.apply(*log[:2])
    world.apply(world.logs.retract("ada", 2))
    assert world.states.states["ada"].last_occurred_at == log[0].occurred_at > START
    later = log[2]._replace(n=4, epoch=1)
    world.logs.append(later)
    world.apply(later)
    without = replayed([log[0], log[2]._replace(n=2)])
    np.testing.assert_allclose(world.states.states["ada"].vector, without.vector, atol=1e-5)
