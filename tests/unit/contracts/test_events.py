"""What an event may say, and what a caller reads about one that may not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.api.events.v1 import events_pb2
from headrace.contracts.events import EventType, NewEvent
from headrace.contracts.violations import check
from headrace.errors import InvalidInput, Violation

EVENT = {"user_id": "259", "item_id": "50", "type": "click"}


def _violations(**changes: Any) -> tuple[Violation, ...]:
    body = {key: value for key, value in {**EVENT, **changes}.items() if value is not ...}
    with pytest.raises(InvalidInput) as caught:
        check(NewEvent, body, "events", 3)
    return caught.value.violations


def test_the_least_an_event_needs() -> None:
    event = check(NewEvent, EVENT)
    assert (event.event_id, event.occurred_at, event.value) == (None, None, None)
    assert event.event_type is EventType.CLICK


def test_types_have_the_numbers_of_the_proto() -> None:
    numbers = {kind.name: kind.value for kind in EventType}
    proto = {
        name.removeprefix("EVENT_TYPE_"): number
        for name, number in events_pb2.EventType.items()
        if number
    }
    assert numbers == proto


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"user_id": ...}, "user_id", "Field required"),
        ({"user_id": ""}, "user_id", "at least 1 character"),
        ({"item_id": "x" * 129}, "item_id", "at most 128 characters"),
        ({"item_id": "x" * 1_000}, "item_id", "at most 128 characters"),
        ({"user_id": "a\nb"}, "user_id", "visible characters"),
        ({"user_id": "a\0"}, "user_id", "visible characters"),
        ({"user_id": "a\u200db"}, "user_id", "visible characters"),
        ({"user_id": "\ud800"}, "user_id", ""),
        ({"user_id": 259}, "user_id", "valid string"),
        ({"event_id": ""}, "event_id", "at least 1 character"),
        ({"type": "bought"}, "type", "'view', 'click', 'cart', 'purchase'"),
        ({"type": "CLICK"}, "type", "'click'"),
        ({"type": "rating"}, "value", "a rating needs a value from 1 to 5"),
        ({"type": "rating", "value": 9}, "value", "a rating needs a value from 1 to 5"),
        ({"type": "rating", "value": 0.99}, "value", "a rating needs a value from 1 to 5"),
        ({"value": -1}, "value", "must be 0 or more"),
        ({"value": float("nan")}, "value", "finite number"),
        ({"value": float("inf")}, "value", "finite number"),
        ({"occurred_at": "1900-01-01T00:00:00Z"}, "occurred_at", "ten years back"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at", "five minutes ahead"),
        ({"occurred_at": "2024-05-01T00:00:00"}, "occurred_at", "timezone"),
        ({"occurred_at": "yesterday"}, "occurred_at", "RFC 3339 with an offset"),
        ({"occurred_at": "1764000000"}, "occurred_at", "RFC 3339 with an offset"),
        ({"occurred_at": "-1764000000"}, "occurred_at", "RFC 3339 with an offset"),
        ({"occurred_at": "2024-05-32T00:00:00Z"}, "occurred_at", "RFC 3339 with an offset"),
        ({"colour": "red"}, "colour", "Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_named_by_its_path_with_what_would_be_right(
    changes: dict[str, Any], field: str, reason: str
) -> None:
    [violation] = _violations(**changes)
    assert violation.field == f"events[3].{field}"
    assert reason in violation.reason


@pytest.mark.parametrize("body", [None, [], "event", 7])
def test_what_is_no_object_is_named_too(body: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(NewEvent, body)
    [violation] = caught.value.violations
    assert violation.field == "body"


def test_every_mistake_is_told_at_once() -> None:
    fields = {violation.field for violation in _violations(user_id="", item_id=..., value="much")}
    assert fields == {"events[3].user_id", "events[3].item_id", "events[3].value"}


def test_the_window_of_time_is_ten_years_back_and_five_minutes_ahead() -> None:
    now = datetime.now(UTC)
    minute = timedelta(minutes=1)
    for inside in (now - timedelta(days=3653) + minute, now + 4 * minute):
        assert check(NewEvent, {**EVENT, "occurred_at": inside}).occurred_at == inside
    for outside in (now - timedelta(days=3653) - minute, now + 6 * minute):
        assert _violations(occurred_at=outside)[0].field == "events[3].occurred_at"


@given(st.floats(1, 5), st.sampled_from([0, 120, -330]))
def test_ratings_from_1_to_5_pass_with_any_offset(value: float, offset_minutes: int) -> None:
    when = datetime.now(UTC).replace(microsecond=0)
    text = (when + timedelta(minutes=offset_minutes)).replace(tzinfo=None).isoformat()
    sign, rest = "-" if offset_minutes < 0 else "+", divmod(abs(offset_minutes), 60)
    body = {
        **EVENT,
        "type": "rating",
        "value": value,
        "occurred_at": f"{text}{sign}{rest[0]:02}:{rest[1]:02}",
    }
    event = check(NewEvent, json.loads(json.dumps(body)))
    assert event.value == value
    assert event.occurred_at == when


@given(st.text(min_size=1, max_size=128).filter(str.isprintable))
def test_any_printable_id_passes_unchanged(identifier: str) -> None:
    event = check(NewEvent, {**EVENT, "user_id": identifier, "event_id": identifier})
    assert event.user_id == event.event_id == identifier
    identifier.encode()  # Postgres and Kafka take it


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_whatever_is_sent_is_an_event_or_a_violation_that_names_its_field(value: object) -> None:
    for field in (*EVENT, "event_id", "occurred_at", "value"):
        try:
            check(NewEvent, {**EVENT, field: value}, "events", 0)
        except InvalidInput as error:
            for violation in error.violations:
                assert violation.field.startswith("events[0].")
                assert violation.reason


def test_not_interested_is_said_of_an_item_or_of_a_category() -> None:
    of_item = check(NewEvent, {**EVENT, "type": "not_interested"})
    assert (of_item.item_id, of_item.category) == ("50", None)
    said = {"user_id": "259", "type": "not_interested", "category": "Home>Kitchen"}
    of_category = check(NewEvent, said)
    assert (of_category.item_id, of_category.category) == (None, "Home > Kitchen")


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"item_id": ...}, "item_id", "must be given"),
        ({"category": "Drama"}, "category", "not_interested alone"),
        ({"type": "not_interested", "category": "Drama"}, "category", "two events"),
        ({"type": "not_interested", "item_id": ..., "category": ""}, "category", ""),
        ({"type": "retraction"}, "type", "'not_interested'"),
    ],
)
def test_an_event_is_about_one_thing(changes: dict[str, Any], field: str, reason: str) -> None:
    [violation] = _violations(**changes)
    assert violation.field == f"events[3].{field}"
    assert reason in violation.reason
