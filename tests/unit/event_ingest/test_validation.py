"""What is refused before it is stored, and what a repetition must repeat."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from headrace.contracts.events import AHEAD, OLDEST, EventType, retraction_id
from headrace.errors import InvalidInput
from services.event_ingest.validation import checked, is_named, type_name
from tests.unit.event_ingest.builders import NOW, event, given, given_retraction, minutes_ago


def test_a_right_event_passes_with_its_type_and_time() -> None:
    passed = checked(given(type=7, value=4.0, occurred_at=minutes_ago(3)))
    assert (passed.type, passed.value, passed.occurred_at) == (
        EventType.RATING,
        4.0,
        minutes_ago(3),
    )


def test_without_a_time_of_its_own_an_event_occurred_when_it_was_accepted() -> None:
    assert checked(given(occurred_at=None, accepted_at=minutes_ago(1))).occurred_at == minutes_ago(
        1
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 129}, "event_id"),
        ({"user_id": "", "key": b""}, "user_id"),
        ({"user_id": "a\nb", "key": b"a\nb"}, "user_id"),
        ({"item_id": "x" * 1000}, "item_id"),
        ({"type": 0}, "type"),
        ({"type": 99}, "type"),
        ({"type": 7, "value": None}, "value"),
        ({"type": 7, "value": 9.0}, "value"),
        ({"type": 7, "value": 0.5}, "value"),
        ({"value": -1.0}, "value"),
        ({"value": math.inf}, "value"),
        ({"value": math.nan}, "value"),
        ({"occurred_at": NOW - OLDEST - timedelta(days=1)}, "occurred_at"),
        ({"occurred_at": NOW + AHEAD + timedelta(hours=1)}, "occurred_at"),
        ({"accepted_at": NOW + AHEAD + timedelta(hours=1)}, "accepted_at"),
        ({"accepted_at": None}, "occurred_at"),
        ({"key": b"bob"}, "key"),
        ({"key": None}, "key"),
    ],
)
def test_a_wrong_event_is_refused_by_the_name_of_its_field(
    wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(given(**wrong))
    assert [violation.field for violation in refused.value.violations] == [field]


def test_every_field_at_fault_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(given(event_id="", item_id="", type=0))
    assert {v.field for v in refused.value.violations} == {"event_id", "item_id", "type"}


def test_an_event_can_be_filed_only_under_proper_ids() -> None:
    assert is_named(given(type=0))
    assert not is_named(given(event_id=""))
    assert not is_named(given(user_id="x" * 129))


def test_types_without_a_name_are_unknown() -> None:
    assert [type_name(number) for number in (1, 7, 0, 99)] == [
        "view",
        "rating",
        "unknown",
        "unknown",
    ]


def test_a_retry_accepted_later_has_the_same_body() -> None:
    assert (
        event(accepted_at=minutes_ago(5)).body_hash == event(accepted_at=minutes_ago(1)).body_hash
    )


@pytest.mark.parametrize(
    "other",
    [
        {"item_id": "toaster"},
        {"type": 1},
        {"value": 2.0},
        {"occurred_at": NOW},
    ],
)
def test_another_item_type_value_or_time_is_another_body(other: dict[str, Any]) -> None:
    assert event(**other).body_hash != event().body_hash


def test_a_body_hash_is_16_bytes() -> None:
    assert len(event().body_hash) == 16


def test_a_retraction_names_what_it_takes_back_and_no_item() -> None:
    passed = checked(given_retraction("r1", retracts="e1"))
    assert (passed.type, passed.item_id, passed.target) == (EventType.RETRACTION, "", ("ann", "e1"))
    assert event().target is None
    other = checked(given_retraction("r1", retracts="e2"))
    assert passed.body_hash != other.body_hash
    again = replace(given_retraction("r1", retracts="e1"), accepted_at=minutes_ago(1))
    assert checked(again).body_hash == passed.body_hash


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"retracts": ""}, "retracts"), ({"event_id": ""}, "event_id"), ({"key": b"bob"}, "key")],
)
def test_a_retraction_that_cannot_be_used_is_refused_by_name(
    wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput, match=field):
        checked(replace(given_retraction("r1", retracts="e1"), **wrong))


def test_the_id_of_a_retraction_follows_from_person_and_event() -> None:
    assert retraction_id("ann", "e1") == retraction_id("ann", "e1")
    assert len({retraction_id(*of) for of in [("ann", "e1"), ("ann", "e2"), ("bob", "e1")]}) == 3


def test_a_category_is_taken_in_its_one_spelling_and_is_no_item() -> None:
    said = checked(given(item_id="", category="Home>Kitchen", type=9))
    assert (said.item_id, said.category) == ("", "Home > Kitchen")
    same = checked(given(item_id="", category="Home > Kitchen", type=9))
    assert same.body_hash == said.body_hash
    assert checked(given(item_id="Home > Kitchen", type=9)).body_hash != said.body_hash
    with pytest.raises(InvalidInput, match="category"):
        checked(given(category="Tea", type=9))
