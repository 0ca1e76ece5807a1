"""The queries on real Postgres."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pyroaring import BitMap

from headrace.errors import Unavailable
from headrace.store.database import Database
from services.user_embedding.interactions import EventStatus, Mark
from services.user_embedding.log_store import LogStore
from services.user_embedding.state_store import StateStore
from services.user_embedding.states import UserState
from tests.integration.user_embedding.items import ON_TOPIC
from tests.integration.user_embedding.logs import Tables, random_log

MODEL = "m1"


@pytest.fixture
def pool(database: str) -> Iterator[Database]:
    pool = Database(database, size=4)
    yield pool
    pool.close()


@pytest.fixture
def states(pool: Database) -> StateStore:
    return StateStore(pool, MODEL, width=3, state_width=2)


@pytest.fixture
def logs(pool: Database) -> LogStore:
    return LogStore(pool, MODEL)


def state(user_id: str, n: int, epoch: int = 0) -> UserState:
    return UserState(
        user_id=user_id,
        epoch=epoch,
        n=n,
        state=np.array([n, 2], dtype=np.float32),
        vector=np.array([n, 3, 4], dtype=np.float32),
        recent_ordinals=(3, 1, 2),
        seen=BitMap([1, 70_000]),
        recent_event_ids=('a "quoted"', "ü,{}"),
        last_occurred_at=datetime(2026, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC),
        last_accepted_at=None,
        unwanted=BitMap([2]),
        unwanted_categories=('Home > "Kitchen"', "ü,{}"),
    )


def test_a_state_comes_back_as_it_was(states: StateStore) -> None:
    stored = state("ada", 5)
    assert states.save([stored]) == {"ada"}
    loaded = states.load(["ada", "nobody"])
    assert set(loaded) == {"ada"}
    np.testing.assert_array_equal(loaded["ada"].state, stored.state)
    np.testing.assert_array_equal(loaded["ada"].vector, stored.vector)
    same = (
        "recent_ordinals",
        "seen",
        "recent_event_ids",
        "last_occurred_at",
        "position",
        "unwanted",
        "unwanted_categories",
    )
    for name in same:
        assert getattr(loaded["ada"], name) == getattr(stored, name)
    blank = replace(
        state("bob", 1),
        recent_ordinals=(),
        seen=BitMap(),
        recent_event_ids=(),
        unwanted=BitMap(),
        unwanted_categories=(),
    )
    states.save([blank])
    loaded_blank = states.load(["bob"])["bob"]
    assert (loaded_blank.recent_ordinals, loaded_blank.unwanted_categories) == ((), ())
    assert not loaded_blank.unwanted


def test_a_stale_state_never_overwrites_a_later_one(states: StateStore) -> None:
    states.save([state("ada", 5), state("bob", 5)])
    assert states.save([state("ada", 4), state("bob", 6)]) == {"bob"}
    assert states.save([state("ada", 5)]) == set()
    assert states.save([state("ada", 1, epoch=1)]) == {"ada"}
    assert states.save([state("ada", 99, epoch=0)]) == set()
    assert {user: s.position for user, s in states.load(["ada", "bob"]).items()} == {
        "ada": (1, 1),
        "bob": (0, 6),
    }


def test_states_of_two_models_live_apart(pool: Database, states: StateStore) -> None:
    other = StateStore(pool, "m2", width=3, state_width=2)
    states.save([state("ada", 5)])
    assert not other.load(["ada"])
    assert other.save([state("ada", 1)]) == {"ada"}


def test_pages_go_on_where_the_reader_stands(tables: Tables, logs: LogStore) -> None:
    ada, bob = random_log("ada", 7, ON_TOPIC), random_log("bob", 2, ON_TOPIC)
    tables.write([*ada, *bob])
    pages = logs.pages([state("ada", 3), state("bob", 2), state("nobody", 0)], limit=3)
    assert pages["ada"].entries == ada[3:6]
    assert pages["ada"].more
    assert pages["bob"].entries == []
    assert "nobody" not in pages


def test_in_another_epoch_the_pages_begin_with_the_log(tables: Tables, logs: LogStore) -> None:
    tables.write(random_log("ada", 2, ON_TOPIC))
    tables.query("UPDATE user_counters SET epoch = 1")
    page = logs.pages([state("ada", 9)], limit=10)["ada"]
    assert (page.epoch, [entry.n for entry in page.entries]) == (1, [1, 2])
    assert {entry.epoch for entry in page.entries} == {1}


def test_pages_tell_what_was_taken_back(tables: Tables, logs: LogStore) -> None:
    tables.write(random_log("ada", 3, ON_TOPIC))
    tables.query("UPDATE interactions SET retracted_by = 3 WHERE n = 1")
    entries = logs.pages([state("ada", 0)], limit=10)["ada"].entries
    assert [entry.retracted for entry in entries] == [True, False, False]


def test_an_event_is_applied_once_the_state_has_it(
    tables: Tables, logs: LogStore, states: StateStore
) -> None:
    log = random_log("ada", 2, ON_TOPIC)
    tables.write(log)
    assert logs.event("ada", log[0].event_id) == (EventStatus.PENDING, 1)
    states.save([state("ada", 1)])
    assert logs.event("ada", log[0].event_id) == (EventStatus.APPLIED, 1)
    assert logs.event("ada", log[1].event_id) == (EventStatus.PENDING, 2)
    tables.query("UPDATE user_counters SET epoch = 1")
    assert logs.event("ada", log[0].event_id) == (EventStatus.PENDING, 1)


def test_those_behind_their_logs_are_found_in_pieces(
    tables: Tables, logs: LogStore, states: StateStore
) -> None:
    for user in ("ada", "bob", "cleo", "dora"):
        tables.write(random_log(user, 5, ON_TOPIC))
    states.save([state("ada", 5), state("bob", 4)])
    assert logs.behind("", 3_600, 10) == []  # all of them changed just now
    tables.query("UPDATE user_counters SET updated_at = now() - interval '1 hour'")
    assert logs.behind("", 3, 2) == ["bob", "cleo"]
    assert logs.behind("cleo", 3, 2) == ["dora"]
    now = logs.now()
    since = Mark(now - timedelta(hours=2))
    first = logs.behind_lately(since, 3, 2)
    assert [mark.user_id for mark in first] == ["bob", "cleo"]
    assert [mark.user_id for mark in logs.behind_lately(first[-1], 3, 2)] == ["dora"]
    assert logs.behind_lately(Mark(now - timedelta(minutes=1)), 3, 2) == []


def test_a_log_without_entries_is_at_its_beginning(logs: LogStore) -> None:
    assert logs.position("nobody") == (0, 0)


def test_without_the_schema_batches_wait_instead_of_being_refused(
    tables: Tables, states: StateStore
) -> None:
    tables.query("ALTER TABLE user_states RENAME TO elsewhere")
    with pytest.raises(Unavailable, match="user_states"):
        states.load(["ada"])


def test_everybody_is_read_page_by_page_in_one_order(states: StateStore) -> None:
    names = [f"p{number:02d}" for number in range(25)]
    states.save([state(name, 1) for name in names])
    blank = replace(state("p99", 0), last_occurred_at=None, recent_ordinals=())
    states.save([blank])
    first = [one.user_id for one in states.page("", None, 10)]
    second = [one.user_id for one in states.page(first[-1], None, 10)]
    third = [one.user_id for one in states.page(second[-1], None, 10)]
    assert [*first, *second, *third] == names
    then = datetime(2026, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC)
    assert len(states.page("", then, 100)) == 25
    assert states.page("", then + timedelta(microseconds=1), 100) == []


def test_who_does_not_want_personal_lists_is_known(logs: LogStore, pool: Database) -> None:
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO personalisation VALUES ('ada', false), ('bob', true)")
    assert logs.opted_out(["ada", "bob", "cleo"]) == {"ada"}
