"""Coverage and novelty of what is shown, and the ranges that drift is seen by."""

import math

import pytest

from headrace.contracts.events import EventType
from headrace.evaluation.drift import HISTORIES, POPULARITIES
from services.ranker.accuracy import metrics
from services.ranker.accuracy.inputs import Inputs
from services.ranker.accuracy.variety import Variety
from tests.unit.ranker.accuracy.reading import Clock, Since, click
from tests.unit.ranker.world import World


async def test_coverage_is_of_the_last_hour_and_of_what_may_be_shown() -> None:
    world, clock = World(items=40), Clock()
    variety = Variety(world.catalogue, clock)
    variety.show([0, 1, 2, 3])
    clock.now += 1_800
    variety.show([3, 4])
    assert variety.coverage() == 5 / 40
    world.hide(4)
    assert variety.coverage() == 4 / 39
    clock.now += 1_801
    variety.show([])
    assert variety.coverage() == 1 / 39
    clock.now += 90_000
    variety.show([])
    assert variety.coverage() == 0


async def test_novelty_is_the_self_information_of_what_is_shown() -> None:
    world = World(items=3)  # popularity in the logarithm: 0, 1, 2
    variety = Variety(world.catalogue, Clock())
    since = Since()
    variety.show([0, 2])
    total = 1 + math.e + math.e**2
    expected = math.log2(total) + math.log2(total / math.e**2)
    assert since.counted("novelty_bits") == pytest.approx(expected, rel=1e-5)
    assert since.counted("novelty_items") == 2


def test_inputs_are_counted_by_range() -> None:
    inputs = Inputs(math.log1p)
    since = Since()
    inputs.take(
        [
            click("ann", 1, 0, kind=EventType.RETRACTION),
            click("ann", 1, 2_000_000, kind=EventType.VIEW),
            click("ann", 7, 12),
            click("ann", 120, 5_000, kind=99),
            click("ann", 3, 4, backfill=True),
        ]
    )
    histories = HISTORIES.names
    assert [since.counted("inputs", input="history", range=name) for name in histories] == [
        2, 0, 1, 0, 0, 0, 1,
    ]  # fmt: skip
    popularities = POPULARITIES.names
    assert [since.counted("inputs", input="popularity", range=name) for name in popularities] == [
        0, 0, 1, 0, 2,
    ]  # fmt: skip
    kinds = ("view", "click", "retraction", "other")
    assert [since.counted("inputs", input="type", range=name) for name in kinds] == [1] * 4


def test_ranges_have_the_names_of_their_bounds() -> None:
    assert metrics.POSITIONS.names == ("1", "2-3", "4-5", "6-10", "11-20", "21+")
    assert [metrics.POSITIONS.of(n) for n in (1, 2, 3, 4, 10, 11, 20, 21, 500)] == [
        "1", "2-3", "2-3", "4-5", "6-10", "11-20", "11-20", "21+", "21+",
    ]  # fmt: skip
    assert [metrics.CHANCES[metrics.chance_range(p)] for p in (0, 0.01, 0.011, 0.5, 0.95, 1.2)] == [
        0.01, 0.01, 0.02, 0.5, 1.0, 1.0,
    ]  # fmt: skip
