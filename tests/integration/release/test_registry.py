"""Releases in a real Postgres."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from headrace.errors import FailedPrecondition
from headrace.release.examination import Examined
from headrace.release.registry import Progress, Registry, Running
from headrace.store.database import Database

FIRST = Running("blue", "ranker", "host/1", "m1", "/m1", "d1", ready=True)


def bundle(version: str) -> Examined:
    return Examined(f"/{version}", version, f"digest of {version}", 16, 0, "split", {"test": 0.3})


@pytest.fixture
def registry(database: str) -> Iterator[Registry]:
    pool = Database(database, 4)
    yield Registry(pool)
    pool.close()


def test_a_release_from_proposal_to_the_retirement_of_the_old_one(registry: Registry) -> None:
    proposed = registry.propose(bundle("m2"), FIRST)
    assert (proposed.slot, proposed.stage, proposed.bundle_url) == ("green", "proposed", "/m2")
    before = registry.active().live
    assert before is not None
    assert (before.model_version, before.slot, before.manifest_sha256) == ("m1", "blue", "d1")
    assert registry.shadow(0.1).stage == "shadow"
    canary = registry.canary(0.05)
    assert (canary.stage, canary.share, canary.salt) == ("canary", 0.05, proposed.salt)
    assert registry.promote().stage == "live"
    compared = registry.last_canary()
    assert (compared.model_version, compared.share, compared.salt) == ("m2", 0.05, proposed.salt)
    assert compared.since < compared.until
    active = registry.active()
    assert (active.live_slot, active.standby and active.standby.model_version) == ("green", "m1")
    assert registry.retire().model_version == "m1"
    second = registry.propose(bundle("m3"), None)
    assert second.slot == "blue"
    assert second.salt != proposed.salt
    assert [one.stage for one in registry.history()] == ["proposed", "live", "retired"]


def test_a_rollback_stops_the_candidate_and_later_goes_back_to_the_old_model(
    registry: Registry,
) -> None:
    registry.propose(bundle("m2"), FIRST)
    assert registry.roll_back("looks odd").reason == "looks odd"
    registry.propose(bundle("m2"), None)
    registry.promote()
    assert registry.roll_back("worse").model_version == "m2"
    active = registry.active()
    assert active.live is not None
    assert (active.live.model_version, active.live_slot, active.other) == ("m1", "blue", None)


def test_a_candidate_that_fails_is_stopped_once_and_nothing_else(registry: Registry) -> None:
    release = registry.propose(bundle("m2"), FIRST)
    with ThreadPoolExecutor(4) as gateways:
        stopped = list(
            gateways.map(lambda _: registry.stop(release.release_id, "it failed"), range(4))
        )
    assert sorted(stopped) == [False, False, False, True]
    again = registry.propose(bundle("m2"), None)
    registry.promote()
    assert not registry.stop(again.release_id, "late news of the canary")


def test_of_two_at_once_one_is_proposed(registry: Registry) -> None:
    def propose(version: str) -> bool:
        try:
            registry.propose(bundle(version), FIRST)
        except FailedPrecondition:
            return False
        return True

    with ThreadPoolExecutor(2) as people:
        assert sorted(people.map(propose, ["m2", "m3"])) == [False, True]


def test_processes_are_known_while_they_say_something(registry: Registry, database: str) -> None:
    assert registry.seen([FIRST]).live is None
    registry.seen([FIRST])
    assert registry.running() == [FIRST]
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE model_processes SET seen_at = now() - interval '11 seconds'")
    assert registry.running() == []


def test_progress_counts_what_the_model_lacks(registry: Registry, database: str) -> None:
    assert registry.progress("m2") == Progress(lacking=0, people=0, behind=0)
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO user_counters (user_id, n) VALUES ('ann', 3), ('bob', 1)")
        cursor.execute(
            "INSERT INTO user_states (model_version, user_id, epoch, n, state, vector,"
            " recent_ordinals, seen, recent_event_ids)"
            " SELECT 'm2', user_id, epoch, 1, '', '', '{}', '', '{}' FROM user_counters"
        )
    assert registry.progress("m2") == Progress(lacking=0, people=2, behind=1)
    assert registry.progress("m3") == Progress(lacking=0, people=2, behind=2)
