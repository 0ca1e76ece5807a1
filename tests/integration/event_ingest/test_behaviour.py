"""On a real Postgres: what is counted of people's behaviour, each figure worked out by hand."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import psycopg2
import pytest

from headrace.contracts.events import EventType
from headrace.errors import Unavailable
from headrace.local.waiting import wait_until
from headrace.store.database import Database
from services.event_ingest.behaviour import VIEWS, BehaviourRefresh
from services.event_ingest.service import EventIngest
from tests.integration.event_ingest.world import Postgres, ingest, metric
from tests.unit.event_ingest.builders import given, minutes_ago

VIEW, CLICK, CART, PURCHASE, LIKE, DISLIKE, *_ = EventType
NOON = datetime(2026, 1, 7, 12, tzinfo=UTC)  # a Wednesday
FUNNEL = (
    "SELECT day, furthest, journeys FROM behaviour_funnel WHERE span = %s AND category = %s"
    " ORDER BY 1, 2"
)


@pytest.fixture
def connections(database: str) -> Iterator[Database]:
    connections = Database(database, size=2)
    yield connections
    connections.close()


@pytest.fixture
def behaviour(connections: Database) -> BehaviourRefresh:
    return BehaviourRefresh(connections, period_s=0, busy_share=1)


class Shop:
    """Writes what people did straight into the log."""

    def __init__(self, store: Postgres) -> None:
        self._store = store
        self._n = 0

    def item(self, item_id: str, *categories: str, price: str | None = None) -> int:
        ordinal = self._store.add_item(item_id)
        self._store.query(
            "UPDATE items SET categories = %s, price = %s WHERE ordinal = %s",
            list(categories),
            price,
            ordinal,
        )
        return ordinal

    def did(self, user: str, kind: EventType, item: int, at: datetime) -> None:
        self._n += 1
        self._store.query(
            "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type, occurred_at,"
            " backfill, body_hash) VALUES (%s, %s, %s, %s, %s, %s, false, '')",
            user,
            self._n,
            f"e{self._n}",
            item,
            int(kind),
            at,
        )


@pytest.fixture
def shop(store: Postgres) -> Shop:
    return Shop(store)


def test_a_journey_counts_once_by_its_furthest_stage_however_it_got_there(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan")
    hour = timedelta(hours=1)
    # Ann: one journey up to the purchase, whose view and click nobody saw. Bob: views twice.
    shop.did("ann", CART, pan, NOON)
    shop.did("ann", PURCHASE, pan, NOON + hour / 2)
    shop.did("ann", VIEW, pan, NOON + hour)
    shop.did("bob", VIEW, pan, NOON)
    shop.did("bob", VIEW, pan, NOON + hour)
    shop.did("bob", LIKE, pan, NOON + hour)
    behaviour.round()
    assert store.query(FUNNEL, "hour", "") == [(NOON.date(), 1, 1), (NOON.date(), 4, 1)]


def test_a_pause_longer_than_the_window_begins_another_journey_on_its_own_day(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan")
    shop.did("ann", VIEW, pan, NOON)
    shop.did("ann", CLICK, pan, NOON + timedelta(hours=1))  # not longer: the same journey
    shop.did("ann", CART, pan, NOON + timedelta(hours=1 + 23))
    shop.did("ann", PURCHASE, pan, NOON + timedelta(hours=1 + 23, days=6))
    behaviour.round()
    first, second, last = date(2026, 1, 7), date(2026, 1, 8), date(2026, 1, 14)
    assert store.query(FUNNEL, "hour", "") == [(first, 2, 1), (second, 3, 1), (last, 4, 1)]
    assert store.query(FUNNEL, "day", "") == [(first, 3, 1), (last, 4, 1)]
    assert store.query(FUNNEL, "week", "") == [(first, 4, 1)]


def test_a_journey_counts_once_in_each_category_of_its_item_and_above(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan", "Home > Kitchen", "Home > Gifts")
    shop.did("ann", VIEW, pan, NOON)
    shop.did("ann", CLICK, shop.item("mug", "Home > Kitchen"), NOON)
    behaviour.round()
    day = NOON.date()
    assert store.query(FUNNEL, "day", "Home") == [(day, 1, 1), (day, 2, 1)]
    assert store.query(FUNNEL, "day", "Home > Kitchen") == [(day, 1, 1), (day, 2, 1)]
    assert store.query(FUNNEL, "day", "Home > Gifts") == [(day, 1, 1)]


def test_a_day_is_a_day_in_utc_whatever_the_server_s_clock_shows(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    ((name,),) = store.query("SELECT current_database()")
    store.query(f"ALTER DATABASE {name} SET timezone = 'America/New_York'")
    late = datetime.fromisoformat("2026-01-07T23:30:00-05:00")
    shop.did("ann", VIEW, shop.item("pan"), late)
    behaviour.round()  # connects now
    assert store.query(FUNNEL, "day", "") == [(date(2026, 1, 8), 1, 1)]


def test_trends_set_a_period_beside_the_one_before_and_leave_dislikes_out(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan", "Home > Kitchen")
    mug = shop.item("mug", "Home > Kitchen", "Home > Gifts")
    for minutes in (10, 50, 70):  # two in this hour, one in the last
        shop.did("ann", CLICK, pan, minutes_ago(minutes))
    shop.did("ann", DISLIKE, pan, minutes_ago(5))
    shop.did("ann", EventType.NOT_INTERESTED, pan, minutes_ago(5))
    shop.did("bob", CLICK, pan, minutes_ago(26 * 60))  # yesterday, this week
    shop.did("bob", CLICK, mug, minutes_ago(8 * 24 * 60))  # last week
    shop.did("bob", CLICK, mug, minutes_ago(15 * 24 * 60))  # no window reaches it
    behaviour.round()
    items = "SELECT span, item_ordinal, events, events_before FROM behaviour_item_trends"
    assert set(store.query(items)) == {
        ("hour", pan, 2, 1),
        ("day", pan, 3, 1),
        ("week", pan, 4, 0),
        ("week", mug, 0, 1),
    }
    categories = "SELECT category, events, events_before FROM behaviour_category_trends"
    assert set(store.query(f"{categories} WHERE span = 'week'")) == {
        ("Home", 4, 1),
        ("Home > Kitchen", 4, 1),
        ("Home > Gifts", 0, 1),
    }


def test_days_are_counted_for_four_weeks(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan", "Home")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for days, events in ((0, 2), (27, 3), (28, 1)):
        for _ in range(events):
            shop.did("ann", CLICK, pan, today - timedelta(days=days))
    behaviour.round()
    counted = [((today - timedelta(days=27)).date(), 3), (today.date(), 2)]
    for view in ("behaviour_item_days", "behaviour_category_days"):
        assert store.query(f"SELECT day, events FROM {view} ORDER BY day") == counted


def test_cohorts_are_people_by_the_week_of_their_first_event(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan")
    sunday = datetime(2026, 1, 11, 23, 59, tzinfo=UTC)
    weeks = timedelta(days=7)
    # Three came in the week of the 5th: ann stays, bob comes back once, cleo never. Dan is late.
    for at in (NOON, NOON + weeks, NOON + weeks, NOON + 2 * weeks):
        shop.did("ann", VIEW, pan, at)
    for at in (sunday, sunday + 2 * weeks):
        shop.did("bob", EventType.NOT_INTERESTED, 0, at)  # in a category
    shop.did("cleo", VIEW, pan, NOON)
    shop.did("dan", VIEW, pan, sunday + timedelta(minutes=1))
    behaviour.round()
    assert store.query("SELECT * FROM behaviour_retention ORDER BY 1, 2") == [
        (date(2026, 1, 5), 0, 3),
        (date(2026, 1, 5), 1, 1),
        (date(2026, 1, 5), 2, 2),
        (date(2026, 1, 12), 0, 1),
    ]


def test_segments_are_fifths_by_the_last_event_the_number_of_events_and_the_money_spent(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    cheap = shop.item("mug", price='{"amount": 500, "currency": "EUR"}')
    dear = shop.item("pan", price='{"amount": 4000, "currency": "EUR"}')
    abroad = shop.item("bowl", price='{"amount": 900, "currency": "USD"}')
    unpriced = shop.item("gift")
    # percent_rank of six people: 0, 0.2, 0.4, 0.6, 0.8, 1. Person k came k-th and has k events.
    for person in range(6):
        for event in range(person + 1):
            shop.did(f"p{person}", VIEW, unpriced, NOON + timedelta(hours=person, minutes=event))
    shop.did("p0", PURCHASE, cheap, NOON - timedelta(hours=1))  # as many events as p1 now
    shop.did("p5", PURCHASE, dear, NOON)
    shop.did("p5", PURCHASE, abroad, NOON)
    shop.did("p4", PURCHASE, unpriced, NOON)
    behaviour.round()
    people = (
        "SELECT recency, frequency, money, people, events, amount FROM behaviour_segments"
        " WHERE currency = %s ORDER BY 1"
    )
    # Events: 2, 2, 3, 4, 6, 8, hence percent_rank 0, 0, 0.4, 0.6, 0.8, 1.
    assert store.query(people, "") == [
        (1, 1, 0, 1, 2, 0),
        (2, 1, 0, 1, 2, 0),
        (3, 3, 0, 1, 3, 0),
        (4, 4, 0, 1, 4, 0),
        (5, 5, 0, 2, 14, 0),
    ]
    # Of two who spent euros one is at 0, the other at 1; one alone is at 0.
    assert store.query(people, "EUR") == [(1, 1, 1, 1, 2, 500), (5, 5, 5, 1, 8, 4000)]
    assert store.query(people, "USD") == [(5, 5, 1, 1, 8, 900)]
    assert store.query("SELECT * FROM behaviour_sales ORDER BY 1") == [
        ("", 1, None),
        ("EUR", 2, 4500),
        ("USD", 1, 900),
    ]


def test_what_was_taken_back_did_not_happen(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan", price='{"amount": 500, "currency": "EUR"}')
    shop.did("ann", VIEW, pan, NOON)  # n = 1
    shop.did("ann", PURCHASE, pan, NOON)  # n = 2
    store.query("UPDATE interactions SET retracted_by = 3 WHERE n = 2")
    store.query(
        "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type, occurred_at, backfill,"
        " body_hash) VALUES ('ann', 3, 'r', 0, 8, now(), false, '')"
    )
    behaviour.round()
    assert store.query(FUNNEL, "day", "") == [(NOON.date(), 1, 1)]
    assert store.query("SELECT people, events FROM behaviour_segments") == [(1, 1)]
    assert store.query("SELECT cohort FROM behaviour_retention") == [(date(2026, 1, 5),)]
    assert store.count("behaviour_item_trends") == store.count("behaviour_sales") == 0


def test_a_visit_that_became_a_person_s_counts_once(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan")
    store.query(
        "INSERT INTO accounts (user_id, email, email_key, password_hash, name, role)"
        " VALUES ('ann', 'a@b', 'a@b', '', '', 'shopper')"
    )
    shop.did("v_1", VIEW, pan, NOON)  # n = 1
    shop.did("v_1", CLICK, pan, NOON + timedelta(days=2))  # n = 2: on its way
    shop.did("ann", VIEW, pan, NOON)
    store.query("INSERT INTO claimed_visits VALUES ('v_1', 'ann', now(), 1)")
    behaviour.round()
    day, later = NOON.date(), (NOON + timedelta(days=2)).date()
    assert store.query(FUNNEL, "day", "") == [(day, 1, 1), (later, 2, 1)]


def test_who_is_erased_is_forgotten_by_the_next_refresh_and_no_view_holds_ids_of_people(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    pan = shop.item("pan", "Home", price='{"amount": 500, "currency": "EUR"}')
    for kind in (VIEW, PURCHASE):
        shop.did("ann", kind, pan, minutes_ago(10))
    behaviour.round()
    # Of age bands, twenty people are needed to tell.
    assert all(store.count(view) for view in VIEWS if view != "age_band_categories")
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    held = {name for view in VIEWS for (name,) in store.query(columns, view)}
    assert held == {
        "age_band", "amount", "category", "cohort", "currency", "day", "events", "events_before",
        "frequency", "furthest", "item_ordinal", "journeys", "money", "people", "purchases",
        "recency", "score", "span", "weeks_later",
    }  # fmt: skip
    store.query("DELETE FROM interactions WHERE user_id = 'ann'")
    behaviour.round()
    assert not any(store.count(view) for view in VIEWS)


def test_a_refresh_is_due_once_for_all_replicas(
    shop: Shop, store: Postgres, connections: Database
) -> None:
    pan = shop.item("pan")
    replicas = [BehaviourRefresh(connections, period_s=60) for _ in range(2)]
    replicas[0].round()
    (first,) = store.query("SELECT as_of FROM behaviour_refreshes")
    assert metric("headrace_behaviour_refreshed_timestamp_seconds") == first[0].timestamp()
    shop.did("ann", VIEW, pan, NOON)
    replicas[1].round()
    assert store.query("SELECT as_of FROM behaviour_refreshes") == [first]
    store.query("UPDATE behaviour_refreshes SET as_of = now() - interval '61 s'")
    replicas[1].round()
    assert store.count("behaviour_retention") == 1


def test_a_refresh_that_took_long_is_repeated_less_often(
    store: Postgres, connections: Database
) -> None:
    refresh = BehaviourRefresh(connections, period_s=60)
    refresh.round()
    store.query("UPDATE behaviour_refreshes SET seconds = 10, as_of = now() - interval '189 s'")
    before = store.query("SELECT as_of FROM behaviour_refreshes")
    refresh.round()
    assert store.query("SELECT as_of FROM behaviour_refreshes") == before
    store.query("UPDATE behaviour_refreshes SET as_of = now() - interval '191 s'")
    refresh.round()
    assert store.query("SELECT now() - as_of < interval '1 min' FROM behaviour_refreshes") == [
        (True,)
    ]


def test_while_one_replica_refreshes_others_pass_and_events_come_in_and_readers_read(
    service: EventIngest, store: Postgres, database: str, behaviour: BehaviourRefresh
) -> None:
    store.add_item("kettle")
    ingest(service, given("e1", type=1))
    behaviour.round()
    (before,) = store.query("SELECT as_of FROM behaviour_refreshes")
    other = psycopg2.connect(database)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(727002)")
        for view in VIEWS:
            cursor.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}")
        behaviour.round()
        assert store.query("SELECT as_of FROM behaviour_refreshes") == [before]
        assert ingest(service, given("e2", type=2)) == ["stored"]
        assert store.count("behaviour_funnel") == 3  # one a window
        other.rollback()
    other.close()


def test_a_refresh_under_way_ends_when_the_process_does(
    store: Postgres, database: str, behaviour: BehaviourRefresh
) -> None:
    behaviour.round()
    other = psycopg2.connect(database)
    with other.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("LOCK TABLE interactions IN ACCESS EXCLUSIVE MODE")
        under_way = pool.submit(behaviour.round)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        assert wait_until(lambda: bool(store.query(waiting)), seconds=20)
        behaviour.cancel()
        with pytest.raises(Unavailable, match="cancel"):
            under_way.result(timeout=20)
        other.rollback()
    other.close()
    behaviour.round()
    assert not store.query(waiting)


def test_an_age_band_likes_what_it_chooses_more_than_others(
    shop: Shop, store: Postgres, behaviour: BehaviourRefresh
) -> None:
    film = {name: shop.item(name, name) for name in ("Action", "Comedy", "Drama")}
    bands = {"18_24": ("Comedy", 20), "45_54": ("Drama", 20), "65_and_over": ("Drama", 19)}
    for band, (likes, people) in bands.items():
        for number in range(people):
            user = f"u_{band}_{number}"
            store.query(
                "INSERT INTO accounts"
                " (user_id, email, email_key, password_hash, name, role, age_band)"
                " VALUES (%s, %s, %s, '', '', 'shopper', %s)",
                *(user, user, user, band),
            )
            shop.did(user, CLICK, film["Action"], NOON)
            shop.did(user, LIKE, film[likes], NOON)
            shop.did(user, DISLIKE, film["Comedy"], NOON)
    behaviour.round()
    found = store.query("SELECT age_band, category, score FROM age_band_categories ORDER BY 1")
    # Everybody chose Action; the oldest are too few to be told of.
    assert [(band, category) for band, category, _ in found] == [
        ("18_24", "Comedy"),
        ("45_54", "Drama"),
    ]
    # 20 of 20 against 0 of 39, and 20 of 20 against 19 of 39.
    assert [score for *_, score in found] == pytest.approx([59**0.5, 3.9390], abs=1e-3)
