"""On a real Postgres: each event has one effect, in order, however often and wherever it comes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from headrace.errors import Unavailable
from headrace.local.waiting import wait_until
from headrace.store.database import Database
from services.event_ingest.log import EventLog
from services.event_ingest.service import EventIngest
from tests.conftest import PostgresServer
from tests.integration.event_ingest.world import Postgres, ingest, metric
from tests.unit.event_ingest.builders import given, minutes_ago


def test_an_event_is_stored_as_it_was_given(service: EventIngest, store: Postgres) -> None:
    ordinal = store.add_item("kettle")
    at, accepted = minutes_ago(30), minutes_ago(1)
    ingest(service, given(type=7, value=4.5, occurred_at=at, accepted_at=accepted, backfill=True))
    assert store.query(
        "SELECT user_id, n, event_id, item_ordinal, type, value, occurred_at, accepted_at, backfill"
        " FROM interactions"
    ) == [("ann", 1, "e1", ordinal, 7, 4.5, at, accepted, True)]


def test_repeats_in_one_batch_and_in_later_ones_have_one_effect(
    service: EventIngest, store: Postgres, database: str
) -> None:
    store.add_item("kettle")
    assert ingest(service, given("e1"), given("e2"), given("e1")) == [
        "stored",
        "stored",
        "repeated",
    ]
    after_a_restart = EventIngest(EventLog(Database(database)))
    again = after_a_restart.ingest([given("e2", accepted_at=minutes_ago(1)), given("e3")])
    assert [(one.kind, one.entry and one.entry.n) for one in again] == [
        ("repeated", 2),
        ("stored", 3),
    ]
    assert store.log_of("ann") == ["e1", "e2", "e3"]


def test_a_repeat_is_read_back_as_it_was_first_stored(
    service: EventIngest, store: Postgres
) -> None:
    store.add_item("kettle")
    (first,) = service.ingest([given("e1", accepted_at=minutes_ago(9))])
    (again,) = service.ingest([given("e1", accepted_at=minutes_ago(1))])
    assert again.entry == first.entry


def test_another_body_under_the_same_id_is_a_conflict(
    service: EventIngest, store: Postgres
) -> None:
    store.add_item("kettle")
    ingest(service, given("e1"))
    (refused,) = service.ingest([given("e1", type=1)])
    assert (refused.kind, refused.reason) == ("refused", "event_id_conflict")
    assert store.log_of("ann") == ["e1"]


def test_refusals_are_remembered_where_they_can_be_named(
    service: EventIngest, store: Postgres
) -> None:
    store.add_item("kettle")
    wrong = [given("e1", type=0), given("", type=0), given("e2", value=-1.0), given("e1", type=99)]
    assert ingest(service, *wrong, given("e3")) == ["refused"] * 4 + ["stored"]
    assert store.query(
        "SELECT user_id, event_id, reason FROM refused_events ORDER BY event_id"
    ) == [("ann", "e1", "invalid_event"), ("ann", "e2", "invalid_event")]


def test_refusals_are_forgotten_after_14_days(service: EventIngest, store: Postgres) -> None:
    ingest(service, given("old", type=0), given("new", type=0))
    store.query(
        "UPDATE refused_events SET refused_at = now() - interval '15 days' WHERE event_id = 'old'"
    )
    service.forget_refused()
    assert store.query("SELECT event_id FROM refused_events") == [("new",)]


def test_an_event_for_an_unknown_item_waits_and_is_released_in_order_of_arrival(
    service: EventIngest, store: Postgres
) -> None:
    store.add_item("kettle")
    ingest(service, given("w1", item_id="toaster"), given("e1"), given("w2", item_id="mug"))
    ingest(service, given("w3", item_id="toaster"), given("w4", item_id="never"), given("e2"))
    assert store.log_of("ann") == ["e1", "e2"]
    service.count_waiting()
    assert metric("headrace_events_waiting_for_item") == 4

    store.add_item("toaster")
    store.add_item("mug")
    released = [entry for chunk in service.release(["toaster"]) for entry in chunk]
    assert [(entry.event_id, entry.n) for entry in released] == [("w1", 3), ("w2", 4), ("w3", 5)]
    assert store.log_of("ann") == ["e1", "e2", "w1", "w2", "w3"]
    assert store.query("SELECT event_id FROM waiting_events") == [("w4",)]


def test_a_waiting_event_sent_again_has_no_effect_and_with_another_body_conflicts(
    service: EventIngest, store: Postgres
) -> None:
    waiting = given("w1", item_id="toaster")
    assert ingest(service, waiting) == ["waiting"]
    assert ingest(service, waiting, given("w1", item_id="mug")) == ["repeated", "refused"]
    store.add_item("toaster")
    assert sum(len(chunk) for chunk in service.release(["toaster"])) == 1
    assert ingest(service, waiting) == ["repeated"]
    assert store.log_of("ann") == ["w1"]


def test_a_release_finds_nothing_for_items_that_nobody_waits_for(
    service: EventIngest, store: Postgres
) -> None:
    ingest(service, given("w1", item_id="toaster"))
    store.add_item("kettle")
    assert list(service.release(["kettle", "toaster"])) == []
    assert store.count("waiting_events") == 1


def test_a_deleted_item_is_known(service: EventIngest, store: Postgres) -> None:
    store.add_item("kettle", deleted=True)
    assert ingest(service, given("e1")) == ["stored"]


def test_events_count_for_trending_in_the_minute_they_occurred_unless_imported(
    service: EventIngest, store: Postgres
) -> None:
    ordinal = store.add_item("kettle")
    at = minutes_ago(60).replace(second=10)
    ingest(service, given("e1", occurred_at=at), given("e2", "bob", occurred_at=at))
    ingest(service, given("e3", occurred_at=at, backfill=True), given("e1", occurred_at=at))
    ingest(service, given("e4", occurred_at=at.replace(second=50)))
    assert store.query("SELECT minute, item_ordinal, events FROM item_minute_counts") == [
        (at.replace(second=0, microsecond=0), ordinal, 3)
    ]


@pytest.mark.parametrize(("trending_window_h", "kept"), [(72, 1), (10 * 24, 2)])
def test_counts_are_kept_for_a_week_and_as_long_as_the_ranker_looks_back(
    service: EventIngest, store: Postgres, trending_window_h: float, kept: int
) -> None:
    store.query(
        "INSERT INTO item_minute_counts SELECT now() - age * interval '1 hour', 1, 5"
        " FROM unnest(%s::float8[]) AS age",
        [7 * 24 - 1, 7 * 24 + 1, 10 * 24 + 1],
    )
    service.forget_counts(trending_window_h)
    assert store.count("item_minute_counts") == kept


def test_forgetting_counts_passes_over_a_row_that_a_replica_holds_and_takes_the_others(
    service: EventIngest, store: Postgres, database: str
) -> None:
    store.query(
        "INSERT INTO item_minute_counts SELECT now() - interval '9 days', item, 1"
        " FROM generate_series(1, 12000) AS item"
    )
    other = psycopg2.connect(database)
    with other.cursor() as cursor:
        cursor.execute("SELECT FROM item_minute_counts WHERE item_ordinal = 7 FOR UPDATE")
        service.forget_counts(72)
        assert store.query("SELECT item_ordinal FROM item_minute_counts") == [(7,)]
    other.rollback()  # close() alone may let go of the row a moment later
    other.close()
    service.forget_counts(72)
    assert store.count("item_minute_counts") == 0


def test_events_out_of_time_order_are_stored_in_order_of_arrival_and_counted(
    service: EventIngest, store: Postgres
) -> None:
    store.add_item("kettle")
    before = metric("headrace_events_out_of_order_total")
    ingest(service, given("e1", occurred_at=minutes_ago(5)))
    ingest(service, given("e2", occurred_at=minutes_ago(9)), given("e3"))
    assert store.log_of("ann") == ["e1", "e2", "e3"]
    assert metric("headrace_events_out_of_order_total") == before + 1


def test_the_epoch_of_a_log_is_that_of_its_entries(service: EventIngest, store: Postgres) -> None:
    store.add_item("kettle")
    ingest(service, given("e1"))
    store.query("UPDATE user_counters SET epoch = 4")
    outcomes = service.ingest([given("e1"), given("e2")])
    assert [one.entry and one.entry.epoch for one in outcomes] == [4, 4]


def test_writers_at_once_number_without_gaps_and_without_deadlock(
    service: EventIngest, store: Postgres
) -> None:
    """As during a rebalance: the same people, the same events, the same items, other orders."""
    for item in range(5):
        store.add_item(f"i{item}")
    users = [f"u{number}" for number in range(20)]

    def batch(number: int, turn: Callable[[list[str]], list[str]]) -> None:
        service.ingest(
            [
                given(f"e{number}-{at}", user, item_id=f"i{at % 6}")
                for at, user in enumerate(turn(users * 5))
            ]
        )

    def write(turn: Callable[[list[str]], list[str]]) -> None:
        for number in range(10):
            batch(number, turn)

    def release() -> None:
        store.add_item("i5")
        list(service.release())

    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(write, turn) for turn in (list, _backwards, list, _backwards)]
        writers.append(pool.submit(release))
        for writer in writers:
            writer.result(timeout=60)
    list(service.release())
    # Forwards and backwards give position `at` to other people: 2 x 1,000 events.
    assert sum(len(store.log_of(user)) for user in users) == 2_000
    assert store.count("waiting_events") == 0
    assert store.query("SELECT sum(events)::int FROM item_minute_counts") == [(2_000,)]


def test_a_replica_waits_for_the_one_that_numbers_the_same_person(
    service: EventIngest, store: Postgres, database: str
) -> None:
    store.add_item("kettle")
    ingest(service, given("e1"))
    other = psycopg2.connect(database)
    with other.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("SELECT n FROM user_counters WHERE user_id = 'ann' FOR UPDATE")
        writer = pool.submit(ingest, service, given("e2"))
        assert wait_until(lambda: bool(store.query(_WAITING_FOR_A_LOCK)), seconds=20)
        assert not writer.done()
        other.rollback()
        assert writer.result(timeout=20) == ["stored"]
    other.close()
    assert store.log_of("ann") == ["e1", "e2"]


def test_a_missing_schema_is_nobody_s_fault_but_the_store_s(postgres: PostgresServer) -> None:
    service = EventIngest(EventLog(Database(postgres.dsn)))
    with pytest.raises(Unavailable, match="personalisation"):
        service.ingest([given()])


_WAITING_FOR_A_LOCK = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def _backwards(users: list[str]) -> list[str]:
    return users[::-1]


def test_nothing_is_kept_of_who_does_not_want_it(service: EventIngest, store: Postgres) -> None:
    store.add_item("kettle")
    ingest(service, given("before"))
    store.query("INSERT INTO personalisation VALUES ('ann', false)")
    wrong = given("wrong", type=7, value=9.0)
    events = [given("e1"), wrong, given("w1", item_id="later"), given("e1", "bob")]
    assert ingest(service, *events) == ["opted_out", "opted_out", "opted_out", "stored"]
    # But for what they refuse: it is a rule for lists, also for everybody's.
    assert ingest(service, given("no", type=9)) == ["stored"]
    assert store.log_of("ann") == ["before", "no"]
    assert store.log_of("bob") == ["e1"]
    assert store.count("waiting_events") == store.count("refused_events") == 0
    store.query("UPDATE personalisation SET enabled = true")
    assert ingest(service, given("e2")) == ["stored"]
