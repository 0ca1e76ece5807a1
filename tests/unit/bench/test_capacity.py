import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.capacity.costs import Costs
from bench.capacity.lines import line_through
from bench.capacity.plan import PRODUCTION, Load, kafka, needs, postgres, processes, ranker_memory
from bench.capacity.used import Used

_GUIDE = Path(__file__).parents[3] / "docs" / "capacity.md"
_DAY_S = 86_400
_SERVICES = ("gateway", "event_ingest", "user_embedding", "ranker", "kafka", "postgres")

_COSTS = Costs(
    measured="by hand",
    memory={"item": 2_000, "person in ranker": 3_000, "person in user_embedding": 1_000},
    counted={"person in ranker": 1_500, "person in user_embedding": 1_000},
    cpu={
        "click": dict.fromkeys(_SERVICES, 0.001) | {"ranker": 0.0002},
        "list": dict.fromkeys(_SERVICES, 0.0) | {"gateway": 0.001, "ranker": 0.002},
    },
    followed=0.0001,
    tables={
        "item": {"items": 1_000, "item_vectors": 500},
        "person": {"user_states": 3_000, "user_counters": 100},
        "event": {"interactions": 200},
    },
    topics={
        "item": {"items": 500, "item-vectors.MODEL": 1_000},
        "click": {"events": 100, "interactions": 100, "user-vectors.MODEL": 1_000},
        "list": {"impressions": 500},
    },
)
_LOAD = Load(
    people=2_000_000, items=100_000, history=5_000_000, events_per_s=3_000, lists_per_s=1_000
)


def test_a_line_tells_what_one_more_costs_and_how_far_it_is_from_what_was_measured() -> None:
    line = line_through([10, 20, 40], [1_100, 1_200, 1_400])
    assert (line.base, line.each, line.off) == pytest.approx((1_000, 10, 0))
    assert line.at(100) == pytest.approx(2_000)
    assert line_through([1, 2, 3], [1, 3, 3]).off == pytest.approx(1 / 3)


def test_one_size_makes_no_line() -> None:
    with pytest.raises(ValueError, match="two different counts"):
        line_through([5, 5], [1, 2])


def test_what_a_process_does_at_rest_is_nobodys_cost() -> None:
    before = Used(10.0, Counter({"ranker": 1.0}), Counter(items=100), Counter())
    after = Used(14.0, Counter({"ranker": 2.0}), Counter(items=300), Counter(events=7))
    rest = Used(8.0, Counter({"ranker": 0.4}), Counter(), Counter())
    beyond = after.since(before).beyond(rest.plus(rest))
    assert beyond.cpu["ranker"] == pytest.approx(2.0 - 1.0 - 4.0 * 0.05)
    assert (beyond.tables["items"], beyond.topics["events"]) == (200, 7)


def test_processes_are_kept_below_three_fifths_of_a_core_and_two_are_the_least() -> None:
    found = processes(_COSTS, _LOAD)
    # 4 cores; 3; and 2.3 by rankers that have half of 0.6 left.
    assert found == {"gateway": 7, "event_ingest": 5, "user_embedding": 5, "ranker": 8}
    idle = replace(_LOAD, events_per_s=0, lists_per_s=1)
    assert set(processes(_COSTS, idle).values()) == {2}


def test_every_ranker_reads_every_event_so_that_no_number_of_them_follows_too_many() -> None:
    with pytest.raises(ValueError, match="a ranker follows 6,000 at most"):
        needs(_COSTS, replace(_LOAD, events_per_s=6_000))


def test_a_large_catalogue_takes_graphs_and_room_to_build_them_beside_the_old_ones() -> None:
    people, others = 2 * 128e6, 160e6 + 75e6
    assert ranker_memory(_COSTS, _LOAD) == pytest.approx(others + people + 100_000 * 2_000)
    larger = replace(_LOAD, items=1_000_000)
    assert ranker_memory(_COSTS, larger) == pytest.approx(others + people + 1e6 * 2_520 * 1.25)


def test_postgres_holds_states_and_vectors_of_two_models_and_the_log_of_all_time() -> None:
    assert dict(postgres(_COSTS, _LOAD)) == pytest.approx(
        {
            "items": 100_000 * (1_000 + 2 * 500),
            "people": 2_000_000 * (2 * 3_000 + 100),
            "log": 5_000_000 * 200,
        }
    )


def test_kafka_bears_the_busiest_hour_for_as_long_as_it_keeps_records() -> None:
    assert dict(kafka(_COSTS, _LOAD)) == pytest.approx(
        {
            "items": 2 * 100_000 * 500,
            "item-vectors.MODEL": 2 * 2 * 100_000 * 1_000,
            "events": 3_000 * 7 * _DAY_S * 100,
            "interactions": 3_000 * _DAY_S * 100,
            "user-vectors.MODEL": 2 * 3_000 * 3_600 * 1_000,
            "impressions": 1_000 * 7 * _DAY_S * 500,
        }
    )


def test_the_guide_tells_what_the_program_reckons_from_the_costs_that_are_kept() -> None:
    told = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", _GUIDE.read_text(), re.M))
    for need in needs(Costs.read(), PRODUCTION):
        assert told.get(need.what) == str(need), f"python -m bench.capacity: {need.what}"


def test_the_guide_tells_the_costs_that_are_kept() -> None:
    text, costs = _GUIDE.read_text(), Costs.read()
    for kind in (costs.memory, costs.counted, *costs.tables.values(), *costs.topics.values()):
        for name, amount in kind.items():
            assert f"{amount:,.0f}" in text, name
    for each, of_processes in costs.cpu.items():
        for name, seconds in of_processes.items():
            assert f"{seconds * 1e3:.2f}" in text, f"{each}: {name}"
