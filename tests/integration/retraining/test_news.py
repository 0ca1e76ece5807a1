"""What is new, counted in a real Postgres; and runs, one at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg2
import pytest
from psycopg2.extras import execute_values

from headrace.bundle.table import ItemTable
from headrace.errors import FailedPrecondition
from headrace.retraining.news import Cuts, News
from headrace.retraining.record import Ended, Trainings, alone
from headrace.store.database import Database

NOW = datetime(2026, 11, 27, tzinfo=UTC)
KNOWN = ItemTable(np.array(["old"]), np.array([50]), np.zeros(1, dtype=np.float32))
_EVENTS = """
INSERT INTO interactions
    (user_id, n, event_id, item_ordinal, type, occurred_at, backfill, body_hash) VALUES %s
"""


@pytest.fixture
def pool(database: str) -> Iterator[Database]:
    pool = Database(database, 2)
    with pool.transaction() as cursor:
        cursor.execute(
            "INSERT INTO items"
            " (item_id, title, description, categories, tags, attributes, revision)"
            " VALUES ('old', '', '', '{}', '{}', '{}', 1), ('new', '', '', '{}', '{}', '{}', 1)"
        )
    yield pool
    pool.close()


def write(
    pool: Database,
    user: str,
    count: int,
    at: datetime,
    *,
    item: int = 1,
    kind: int = 2,
    backfill: bool = False,
) -> None:
    """So many events of a person, a second apart, the last one at that moment."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM interactions WHERE user_id = %s", (user,))
        (before,) = cursor.fetchone() or (0,)
        rows = [
            (user, before + n, f"e{before + n}", item, kind, at - timedelta(seconds=count - n),
             backfill, b"")
            for n in range(1, count + 1)
        ]  # fmt: skip
        execute_values(cursor, _EVENTS, rows)


def test_what_a_model_may_learn_from_is_counted_and_nothing_else(pool: Database) -> None:
    since = NOW - timedelta(days=1)
    write(pool, "ann", 5, since)
    write(pool, "ann", 7, NOW)
    write(pool, "ann", 2, NOW, kind=9)
    write(pool, "bob", 3, NOW)
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO personalisation VALUES ('bob', false)")
    assert News(pool).events(since) == 7


def test_the_newest_share_is_the_test_and_as_many_before_choose_weights(pool: Database) -> None:
    since = NOW - timedelta(seconds=100)
    write(pool, "ann", 50, since)
    write(pool, "ann", 100, NOW)
    last = NOW.timestamp()
    # Of 100 events a second apart the newest 21 begin 20 seconds before the last.
    assert News(pool).cuts(since, 0.2) == Cuts(last - 40, last - 20)
    everything = News(pool).cuts(None, 0.1)
    assert everything == Cuts(last - 30, last - 15)


def test_events_of_one_moment_cannot_be_cut(pool: Database) -> None:
    assert News(pool).cuts(None, 0.2) is None
    write(pool, "ann", 1, NOW)
    assert News(pool).cuts(None, 0.2) is None


def test_drift_is_of_live_events_against_the_week_before(pool: Database) -> None:
    since = NOW - timedelta(days=1)
    write(pool, "ann", 2_000, since)
    write(pool, "bob", 2_000, NOW, item=2, backfill=True)
    assert News(pool).drift(since, NOW, KNOWN) == {}, "imports tell nothing"
    write(pool, "bob", 2_000, NOW, item=2)
    drift = News(pool).drift(since, NOW, KNOWN)
    assert drift["type"] == pytest.approx(0)
    assert drift["popularity"] > 1, "all took an item that training never saw"
    assert 0 < drift["history"] < drift["popularity"], "nobody is new"
    assert News(pool).drift(since - timedelta(days=60), since - timedelta(days=50), KNOWN) == {}


def test_of_two_at_once_one_runs_and_a_killed_one_is_told(database: str) -> None:
    pool = Database(database, 1)
    trainings = Trainings(pool)
    with (
        alone(database),
        pytest.raises(FailedPrecondition, match="another `headrace retrain`"),
        alone(database),
    ):
        pass
    trainings.start()
    with alone(database):
        second = trainings.start()
        trainings.finish(second, Ended("not_better", "worse", "m1", "m2", "/bundles/m2/report.md"))
        trainings.finish(trainings.start(), Ended("idle", "no reason", "m1"))
    idle, worse = trainings.newest()
    assert idle.line().endswith("training idle: no reason")
    assert worse.line().endswith("training m2 not better: worse; /bundles/m2/report.md")
    tallies = trainings.tallies()
    assert {outcome: tally.runs for outcome, tally in tallies.items()} == {
        "failed": 1,
        "not_better": 1,
        "idle": 1,
    }
    assert tallies["idle"].newest_s >= tallies["not_better"].newest_s > 1_700_000_000
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT outcome, reason FROM model_trainings ORDER BY training_id LIMIT 1")
        assert cursor.fetchone() == ("failed", "it was cut off")
    connection.close()
    pool.close()
