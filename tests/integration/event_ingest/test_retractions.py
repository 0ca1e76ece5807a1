"""On a real Postgres: what is taken back is marked, once, and counts nowhere any more."""

from services.event_ingest.service import EventIngest
from tests.integration.event_ingest.world import Postgres, ingest
from tests.unit.event_ingest.builders import given, given_retraction, minutes_ago

_MARKS = "SELECT n, retracted_by FROM interactions WHERE user_id = %s ORDER BY n"
_COUNTER = "SELECT epoch, n FROM user_counters WHERE user_id = %s"
_TRENDING = "SELECT item_ordinal, events FROM item_minute_counts WHERE events > 0"


def test_a_retraction_marks_its_entry_and_begins_an_epoch(
    service: EventIngest, store: Postgres
) -> None:
    kettle = store.add_item("kettle")
    at = minutes_ago(3)
    ingest(service, given("e1", occurred_at=at), given("e2", occurred_at=at))
    back = given_retraction("r1", retracts="e1")
    (outcome,) = service.ingest([back])
    assert outcome.kind == "stored"
    assert outcome.entry is not None
    assert (outcome.entry.epoch, outcome.entry.n, outcome.entry.item_ordinal) == (1, 3, 0)
    assert store.query(_MARKS, "ann") == [(1, 3), (2, None), (3, None)]
    assert store.query(_COUNTER, "ann") == [(1, 3)]
    assert store.query(_TRENDING) == [(kettle, 1)]
    standing = store.query("SELECT event_id FROM standing_interactions ORDER BY n")
    assert standing == [("e2",)]

    again = service.ingest([back, given("e1", occurred_at=at), given("e3")])
    assert [(one.kind, one.entry and one.entry.n) for one in again] == [
        ("repeated", 3),
        ("repeated", 1),
        ("stored", 4),
    ]
    assert store.query(_COUNTER, "ann") == [(1, 4)]
    assert store.query("SELECT sum(events)::int FROM item_minute_counts") == [(2,)]


def test_an_event_and_its_retraction_in_one_batch_leave_nothing_trending(
    service: EventIngest, store: Postgres
) -> None:
    store.add_item("kettle")
    back = given_retraction("r1", retracts="e1")
    assert ingest(service, given("e1"), back, given("e1"), back) == [
        "stored",
        "stored",
        "repeated",
        "repeated",
    ]
    assert store.query(_MARKS, "ann") == [(1, 2), (2, None)]
    assert store.query(_TRENDING) == []


def test_what_was_never_counted_is_not_taken_off_what_is_trending(
    service: EventIngest, store: Postgres
) -> None:
    store.add_item("kettle")
    at = minutes_ago(3)
    imported, disliked = given("e1", occurred_at=at, backfill=True), given("e2", type=6)
    ingest(service, imported, disliked, given("e3", occurred_at=at))
    ingest(service, given_retraction("r1", retracts="e1"), given_retraction("r2", retracts="e2"))
    assert store.query("SELECT sum(events)::int FROM item_minute_counts") == [(1,)]


def test_nobody_takes_back_what_is_not_in_their_own_log_or_was_taken_back(
    service: EventIngest, store: Postgres
) -> None:
    store.add_item("kettle")
    ingest(service, given("e1"), given("b1", "bob"), given("w1", item_id="toaster"))
    ingest(service, given_retraction("r1", retracts="e1"))
    vain = [
        given_retraction("r2", retracts="e1"),
        given_retraction("r3", retracts="r1"),
        given_retraction("r4", retracts="never"),
        given_retraction("r5", "bob", retracts="e1"),
        given_retraction("r6", "cleo", retracts="b1"),
        given_retraction("r7", retracts="w1"),
    ]
    outcomes = service.ingest(vain)
    assert {(one.kind, one.reason) for one in outcomes} == {("refused", "nothing_to_retract")}
    assert store.query(_MARKS, "ann") == [(1, 2), (2, None)]
    assert store.query(_MARKS, "bob") == [(1, None)]
    assert store.query(_COUNTER, "bob") == [(0, 1)]
    assert store.query("SELECT reason FROM refused_events WHERE event_id = 'r5'") == [
        ("nothing_to_retract",)
    ]
