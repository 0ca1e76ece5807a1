"""The rules for recent and seen items, and for dislikes."""

import numpy as np
import pytest
from pyroaring import BitMap

from headrace.contracts.events import EventType
from services.user_embedding.memory import RECENT_ITEMS, Memory, Touch, recent_events
from tests.unit.user_embedding.worlds import SEEN_TYPES, World, entry

CLICK, LIKE, DISLIKE = int(EventType.CLICK), int(EventType.LIKE), int(EventType.DISLIKE)
memory = Memory(SEEN_TYPES)


def test_recent_items_are_oldest_first_and_at_most_fifty() -> None:
    recent = memory.recent((), [(ordinal, CLICK) for ordinal in range(60)])
    assert recent == tuple(range(10, 60))


def test_an_item_touched_again_moves_to_the_end() -> None:
    assert memory.recent((1, 2, 3), [(1, CLICK)]) == (2, 3, 1)


def test_a_disliked_item_leaves_the_recent_ones() -> None:
    assert memory.recent((1, 2, 3), [(2, DISLIKE), (9, DISLIKE)]) == (1, 3)


def test_recent_items_do_not_depend_on_how_the_log_was_split() -> None:
    random = np.random.default_rng(3)
    touches: list[Touch] = [
        (int(random.integers(1, 90)), int(random.integers(1, 8))) for _ in range(500)
    ]
    one_by_one: tuple[int, ...] = ()
    for touch in touches:
        one_by_one = memory.recent(one_by_one, [touch])
    assert memory.recent((), touches) == one_by_one
    assert len(one_by_one) <= RECENT_ITEMS


@pytest.mark.parametrize("kind", sorted(EventType))
def test_only_the_chosen_types_make_an_item_seen(kind: EventType) -> None:
    seen = memory.seen(BitMap([4]), [(8, int(kind))])
    assert (8 in seen) == (kind in SEEN_TYPES)
    assert 4 in seen


def test_seen_items_are_never_changed_in_place() -> None:
    before = BitMap([4])
    memory.seen(before, [(8, LIKE)])
    assert before == BitMap([4])
    assert memory.seen(before, [(4, LIKE)]) is before


def test_the_last_sixteen_event_ids_are_kept() -> None:
    ids = [str(i) for i in range(40)]
    assert recent_events(ids[:10], ids[10:12]) == tuple(ids[:12])
    assert recent_events(ids[:10], ids[10:]) == tuple(ids[24:])


def test_a_dislike_is_seen_and_leaves_the_vector() -> None:
    world = World()
    world.apply(entry("ada", 1, 5))
    before = world.states.states["ada"]
    world.apply(entry("ada", 2, 6, EventType.DISLIKE))
    after = world.states.states["ada"]
    np.testing.assert_array_equal(after.vector, before.vector)
    np.testing.assert_array_equal(after.state, before.state)
    assert after.n == 2
    assert after.recent_ordinals == (5,)
    assert 6 in after.seen


def test_an_import_is_not_fresh() -> None:
    world = World()
    world.apply(entry("ada", 1, 5))
    assert world.states.states["ada"].last_accepted_at is not None
    world.apply(entry("ada", 2, 6, backfill=True))
    assert world.states.states["ada"].last_accepted_at is None
