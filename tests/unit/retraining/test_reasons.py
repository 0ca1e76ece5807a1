"""When there is reason to train."""

from dataclasses import replace
from datetime import UTC, datetime

from headrace.retraining.reasons import Standing, Triggers, new_since, reasons

TRIGGERS = Triggers(events=1_000, drift=0.25)
CALM = Standing(datetime(2026, 11, 27, tzinfo=UTC), exact=True, events=999, drift={"type": 0.1})


def test_few_events_that_are_as_before_are_no_reason() -> None:
    assert reasons(CALM, TRIGGERS) == []
    assert reasons(replace(CALM, drift={}), TRIGGERS) == []


def test_enough_events_are_a_reason() -> None:
    assert reasons(replace(CALM, events=1_000), TRIGGERS) == [
        "1,000 events are new, 1,000 are enough"
    ]


def test_each_drift_is_a_reason() -> None:
    drifted = replace(CALM, drift={"type": 0.3, "history": 0.25, "popularity": 0.2})
    assert reasons(drifted, TRIGGERS) == [
        "history drifted: 0.250, 0.25 is much",
        "type drifted: 0.300, 0.25 is much",
    ]


def test_where_the_live_model_stands_is_said_with_what_is_not_known() -> None:
    assert "learned until 2026-11-27 00:00:00 UTC; 999 events since" in CALM.line()
    assert "drift of type 0.100" in CALM.line()
    vague = replace(CALM, exact=False, drift={})
    assert "was made at 2026-11-27" in vague.line()
    assert "drift not told" in vague.line()


def test_what_is_new_for_sure_is_later_than_what_was_learned_or_than_the_model() -> None:
    assert new_since(CALM, TRIGGERS) == CALM.since
    vague = replace(CALM, exact=False)
    assert new_since(vague, TRIGGERS) is None, "too little happened since it was made"
    assert new_since(replace(vague, events=1_000), TRIGGERS) == CALM.since
