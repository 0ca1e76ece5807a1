"""Vectors without one of the items last touched are those of a history that lacks it."""

from collections.abc import Sequence

import numpy as np
import pytest

from headrace.errors import Unavailable
from services.user_embedding.interactions import Interaction
from services.user_embedding.states import UserState
from services.user_embedding.stepper import Run
from tests.unit.user_embedding.worlds import World, entry, random_log, replayed


def ends(log: Sequence[Interaction]) -> UserState:
    stepper = World().stepper
    return stepper.advance([Run(stepper.fresh(log[0].user_id), log)])[0]


@pytest.mark.parametrize("length", [3, 40, 700])
def test_each_of_the_last_items_is_left_out_alone(length: int) -> None:
    log = random_log("ada", length)
    world = World()
    world.logs.append(*log)
    left = world.service.leave_out("ada", 5)
    whole = replayed(log)
    np.testing.assert_allclose(left.whole.vector, whole.vector, atol=1e-5)
    assert left.whole.position == whole.position
    assert tuple(left.without) == whole.recent_ordinals[-5:]
    for ordinal, state in left.without.items():
        early, tail = log[:-128], log[-128:]
        rest = [*early, *(one for one in tail if one.item_ordinal != ordinal)]
        np.testing.assert_allclose(state.vector, ends(rest).vector, atol=1e-5)
        assert not np.allclose(state.vector, whole.vector)
    assert not world.states.states
    assert not world.announced


def test_without_the_only_item_nothing_is_left() -> None:
    world = World()
    world.logs.append(entry("ada", 1, 5), entry("ada", 2, 5))
    left = world.service.leave_out("ada", 20)
    assert tuple(left.without) == (5,)
    assert not left.without[5].vector.any()


def test_a_new_epoch_begins_anew() -> None:
    world = World()
    world.logs.epochs["ada"] = 2
    world.logs.append(entry("ada", 1, 5, epoch=2), entry("ada", 2, 6, epoch=2))
    left = world.service.leave_out("ada", 20)
    assert left.whole.position == (2, 2)
    assert tuple(left.without) == (5, 6)


def test_somebody_without_history_has_nothing_to_leave_out() -> None:
    left = World().service.leave_out("nobody", 20)
    assert left.whole.blank
    assert not left.without


def test_while_the_log_is_away_nothing_can_be_said() -> None:
    world = World()
    world.logs.away = True
    with pytest.raises(Unavailable):
        world.service.leave_out("ada", 20)
