"""Gaps and what is passed over."""

from datetime import timedelta

from headrace.contracts.events import EventType
from services.user_embedding.paths import path_of
from tests.unit.user_embedding.worlds import START, entry


def test_a_gap_is_the_time_since_the_entry_before_and_never_negative() -> None:
    log = [entry("ada", n + 1, 1, at_s=at) for n, at in enumerate([100.0, 160.5, 40.0, 50.0])]
    assert path_of(None, log, {1: 0}).gaps == [0.0, 60.5, 0.0, 10.0]


def test_the_first_gap_continues_from_the_state() -> None:
    before = START + timedelta(seconds=90)
    assert path_of(before, [entry("ada", 5, 1, at_s=100.0)], {1: 0}).gaps == [10.0]


def test_a_dislike_is_passed_over_and_still_dates_the_next_gap() -> None:
    log = [
        entry("ada", 1, 1, at_s=0.0),
        entry("ada", 2, 2, EventType.DISLIKE, at_s=100.0),
        entry("ada", 3, 1, at_s=130.0),
    ]
    path = path_of(None, log, {1: 0, 2: 1})
    assert (path.rows, path.gaps) == ([0, 0], [0.0, 30.0])


def test_items_without_a_vector_are_passed_over() -> None:
    path = path_of(None, [entry("ada", 1, 1), entry("ada", 2, 2, EventType.LIKE)], {2: 7})
    assert (path.rows, path.types) == ([7], [EventType.LIKE])
