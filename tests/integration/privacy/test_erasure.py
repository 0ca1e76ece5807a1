"""Erasing a person: nothing is left, nothing comes back, and the receipt proves it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from pyroaring import BitMap

from headrace.api.events.v1.events_pb2 import Event, EventType
from headrace.cli import main
from headrace.client import AsyncPrivacy
from headrace.errors import InvalidInput, NotFound, Unauthenticated, Unavailable
from headrace.local.waiting import wait_until
from headrace.runtime.dead_letters import to_dead_letter, to_original
from headrace.runtime.kafka_records import Record, Refusal
from headrace.runtime.kafka_scan import scan
from headrace.runtime.people_in_records import PeopleFilter
from headrace.runtime.replay_dead_letters import read_letters, replay
from headrace.runtime.topics import (
    EVENTS,
    IMPRESSIONS,
    INTERACTIONS,
    about_people,
    dead_letters,
    user_vectors,
)
from services.event_ingest.click_through import ServedList, keep
from services.event_ingest.consumer import decode_event
from services.gateway.accounts.account_store import AccountStore
from services.gateway.accounts.visit_store import VisitStore
from services.gateway.fallback import PersonalLists
from services.gateway.lists import RankedList
from services.gateway.privacy.erasure_store import ErasureStore
from services.gateway.privacy.receipts import Receipt
from services.user_embedding.log_store import LogStore
from services.user_embedding.state_store import StateStore
from services.user_embedding.states import UserState
from tests.integration.gateway.account_world import PASSWORD, grpc_address
from tests.integration.privacy.world import MODEL, World
from tests.unit.event_ingest.builders import event, given
from tests.unit.gateway.doors import ADMIN_KEY, READER_KEY
from tests.unit.gateway.memory import AS_OF
from tests.unit.gateway.test_impressions import listed

DEADLINE_S = 30
PAST = datetime.now(UTC) - timedelta(minutes=5)
EXPIRING = {"kafka/events", "kafka/interactions"}


async def _erase(http: httpx.AsyncClient, user_id: str) -> dict[str, Any]:
    answer = await http.request("DELETE", f"/v1/users/{user_id}", json={}, headers=ADMIN_KEY)
    assert answer.status_code == 202, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.1)


async def _is_completed(privacy: AsyncPrivacy, erasure_id: str) -> bool:
    return (await privacy.erasure(erasure_id)).completed_at is not None


async def _is_put_off(world: World, erasure_id: str) -> bool:
    query = "SELECT 1 FROM erasures WHERE erasure_id = %s AND taken_until > now()"
    return bool(world.store.query(query, erasure_id))


async def _completed(http: httpx.AsyncClient, erasure_id: str) -> dict[str, Any]:
    told: dict[str, Any] = {}

    async def holds() -> bool:
        told.update((await http.get(f"/v1/erasures/{erasure_id}")).json())
        return told["completed_at"] is not None

    await _until(holds)
    return told


def _rows(world: World, *people: str) -> dict[str, int]:
    places, _ = ErasureStore(world.database).look(people)
    return {one.place: one.removed for one in places if one.state == "found"}


def _erase_now(world: World, user_id: str) -> Receipt:
    return ErasureStore(world.database).begin(user_id)[0]


async def test_nothing_is_left_in_any_table_topic_or_memory(
    world: World, http: httpx.AsyncClient
) -> None:
    visit = world.move_in("u_fay")
    lists = PersonalLists(100)
    world.replica.memories.append(lists)
    lists.remember("u_fay", RankedList("m1", AS_OF, tuple(listed(3).items)))
    receipt = await _erase(http, "u_fay")
    assert receipt["visits"] == [visit]
    assert not _rows(world, "u_fay", visit)
    told = await _completed(http, receipt["erasure_id"])
    world.replica.memories.remove(lists)
    places = {one["place"]: one for one in told["places"]}
    removed = {name: one["removed"] for name, one in places.items() if one["removed"]}
    assert removed == {
        "postgres/accounts": 1,
        "postgres/api_keys": 1,
        "postgres/claimed_visits": 1,
        "postgres/interactions": 2,
        "postgres/personalisation": 1,
        "postgres/recoveries": 1,
        "postgres/refresh_tokens": 1,
        "postgres/refused_events": 1,
        "postgres/registrations": 1,
        "postgres/served_lists": 1,
        "postgres/sign_ins": 1,
        "postgres/user_counters": 2,
        "postgres/user_states": 2,
        "postgres/waiting_events": 1,
        "kafka/events": 1,
        "kafka/events.dlq": 2,
        "kafka/impressions": 1,
        "kafka/interactions": 1,
        f"kafka/{user_vectors(MODEL)}": 1,
        "memory/gateway": 1,
    }
    assert lists.of("u_fay") is None
    states = {name: one["state"] for name, one in places.items()}
    assert "found" not in states.values()
    assert {name for name, state in states.items() if state == "expires"} >= EXPIRING
    gone_by = datetime.fromisoformat(places["kafka/events"]["gone_by"])
    assert timedelta(days=7) < gone_by - datetime.now(UTC) < timedelta(days=7, hours=2)
    # Nobody can find out from what is kept whom it was about.
    assert world.store.query("SELECT people FROM erasures WHERE completed_at IS NOT NULL")
    kept = world.store.query("SELECT * FROM erasures") + world.store.query(
        "SELECT people FROM forgettings WHERE done_at IS NOT NULL"
    )
    assert "u_fay" not in str(kept)


async def test_the_receipt_checks_out_and_shows_what_is_there_again(
    world: World, http: httpx.AsyncClient
) -> None:
    world.move_in("u_gil")
    receipt = await _erase(http, "u_gil")
    await _completed(http, receipt["erasure_id"])
    path = f"/v1/erasures/{receipt.pop('erasure_id')}/check"
    clean = (await http.post(path, json=receipt)).json()
    assert (clean["clean"], clean["begun_anew"]) == (True, False)
    found = {one["place"]: one["state"] for one in clean["places"]}
    assert found["kafka/impressions"] == found["kafka/events.dlq"] == "forgotten"
    # Somebody restores a backup, and a producer writes what it had.
    world.store.query(
        "INSERT INTO refused_events (user_id, event_id, reason) VALUES ('u_gil', 'x', 'y')"
    )
    world.write("u_gil")
    world.publisher.flush()
    again = (await http.post(path, json=receipt)).json()
    assert again["clean"] is False
    assert {one["place"] for one in again["places"] if one["state"] == "found"} == {
        "postgres/refused_events",
        "kafka/events.dlq",
        "kafka/impressions",
        f"kafka/{user_vectors(MODEL)}",
    }
    others: list[dict[str, Any]] = [{"code": "guessed"}, {"user_id": "u_hal"}, {"visits": []}]
    for wrong in others:
        refused = await http.post(path, json={**receipt, **wrong})
        assert refused.status_code == 400, refused.text
    assert (await http.post("/v1/erasures/er_none/check", json=receipt)).status_code == 404
    assert (await http.get("/v1/erasures/er_none")).status_code == 404


async def test_the_client_and_the_command_do_the_same(
    world: World, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.move_in("u_ida")
    async with world.replica.running(), grpc_address(world.replica) as address:
        async with AsyncPrivacy(address, api_key="admin-key-0123456789") as privacy:
            receipt = await privacy.erase("u_ida")
            await _until(lambda: _is_completed(privacy, receipt.erasure_id))
            assert (await privacy.check_erasure(receipt)).clean
            with pytest.raises(InvalidInput, match="receipt"):
                await privacy.check_erasure(replace(receipt, code="guessed"))
            with pytest.raises(NotFound):
                await privacy.check_erasure(replace(receipt, erasure_id="er_none"))
        file = tmp_path / "receipt.json"
        file.write_bytes(orjson.dumps(receipt))
        run = ["erasure", "check", str(file), "--address", address]
        assert await asyncio.to_thread(main, run) == 0
        assert "nothing is left" in capsys.readouterr().out
        world.store.query(
            "INSERT INTO refused_events (user_id, event_id, reason) VALUES ('u_ida', 'x', 'y')"
        )
        assert await asyncio.to_thread(main, run) == 1
        assert "postgres/refused_events" in capsys.readouterr().out


async def test_a_person_needs_the_password_and_is_out_at_once(
    world: World, http: httpx.AsyncClient
) -> None:
    world.move_in("u_jan")
    hashed = await world.replica.parts.accounts._passwords.hash(PASSWORD)  # type: ignore[union-attr]
    world.store.query("UPDATE accounts SET password_hash = %s WHERE user_id = 'u_jan'", hashed)
    bearer = world.bearer("u_jan")
    for body in ({}, {"password": "wrong"}, {"password": 7}, {"passwort": PASSWORD}):
        refused = await http.request("DELETE", "/v1/users/u_jan", json=body, headers=bearer)
        assert refused.status_code == 400, refused.text
    for headers, status in (({}, 401), (READER_KEY, 403), (world.bearer("u_kim"), 403)):
        refused = await http.request("DELETE", "/v1/users/u_jan", json={}, headers=headers)
        assert refused.status_code == status
    own = {"password": PASSWORD}
    done = await http.request("DELETE", "/v1/users/u_jan", json=own, headers=bearer)
    assert done.status_code == 202, done.text
    assert done.headers["cache-control"] == "no-store"
    assert (await http.get("/v1/me", headers=bearer)).status_code == 401
    answer = await http.post(
        "/v1/accounts/log-in", json={"email": "u_jan@example.com", "password": PASSWORD}
    )
    assert answer.status_code == 401


async def test_a_visit_erases_itself_without_a_password_and_is_not_gone_on_with(
    http: httpx.AsyncClient,
) -> None:
    visit = (await http.post("/v1/visits", json={})).json()
    bearer = {"authorization": f"Bearer {visit['visit_token']}"}
    path = f"/v1/users/{visit['visitor_id']}"
    assert (await http.request("DELETE", path, json={}, headers=bearer)).status_code == 202
    assert (await http.get(f"{path}/personalisation", headers=bearer)).status_code == 401
    begun = await http.post("/v1/visits", json={"visit_token": visit["visit_token"]})
    assert begun.json()["visitor_id"] != visit["visitor_id"]


def test_events_that_were_under_way_are_not_stored(world: World) -> None:
    visit = world.move_in("u_lea")
    _erase_now(world, "u_lea")
    late = [
        given("late", "u_lea", accepted_at=PAST),
        given("merged", "u_lea", accepted_at=None, written_at=PAST),
        given("wrong", "u_lea", type=7, value=9.0, accepted_at=PAST),
        given("waits", "u_lea", item_id="later", accepted_at=PAST),
        given("v", visit, accepted_at=PAST),
    ]
    assert {one.kind for one in world.ingest.ingest(late)} == {"erased"}
    assert not _rows(world, "u_lea", visit)


def test_waiting_events_are_gone_before_their_item_comes(world: World) -> None:
    world.move_in("u_mia")
    _erase_now(world, "u_mia")
    world.store.query(
        "INSERT INTO items (item_id, title, description, categories, tags, attributes, revision)"
        " VALUES ('later', '', '', '{}', '{}', '{}', 1) ON CONFLICT DO NOTHING"
    )
    released = [entry.user_id for entries in world.ingest.release() for entry in entries]
    assert "u_mia" not in released
    assert not _rows(world, "u_mia")
    world.store.query("DELETE FROM items WHERE item_id = 'later'")


def test_a_batch_that_waits_for_an_erasure_comes_again(world: World) -> None:
    """The batch was checked before the erasure, and gets the log's lock after it."""
    world.move_in("u_noa")
    log = world.ingest._log
    with log.transaction() as transaction:
        seen_before = transaction.erased(["u_noa"])
        _erase_now(world, "u_noa")
        with pytest.raises(Unavailable, match="comes again"):
            world.ingest._decide(transaction, [event("e9", "u_noa", accepted_at=PAST)], seen_before)
        transaction._cursor.connection.rollback()
    assert not _rows(world, "u_noa")


def test_interactions_that_were_under_way_make_no_state(world: World) -> None:
    """user_embedding got one before the erasure, and stores after it."""
    visit = world.move_in("u_oda")
    _erase_now(world, "u_oda")
    states = StateStore(world.database, MODEL, width=1, state_width=1)
    assert states.save([_state("u_oda"), _state(visit)]) == set()
    assert not _rows(world, "u_oda", visit)
    # What no log has is not dead-lettered: nobody misses it.
    erased = LogStore(world.database, MODEL).erased(["u_oda", "u_ann"])
    assert erased == {"u_oda": 1}


def _state(user_id: str, epoch: int = 0) -> UserState:
    vector = np.zeros(1, dtype=np.float32)
    return UserState(
        user_id=user_id,
        epoch=epoch,
        n=2,
        state=vector,
        vector=vector,
        recent_ordinals=(),
        seen=BitMap(),
        unwanted=BitMap(),
        unwanted_categories=(),
        recent_event_ids=(),
        last_occurred_at=AS_OF,
        last_accepted_at=None,
    )


def test_lists_that_were_under_way_are_not_kept(world: World) -> None:
    world.move_in("u_pam")
    _erase_now(world, "u_pam")
    lists = [
        ServedList(9, 9, place, user_id, PAST, MODEL, ["kettle"], [1])
        for place, user_id in enumerate(["u_pam", "u_somebody"])
    ]
    with world.database.transaction() as cursor:
        keep(cursor, lists)
    assert not _rows(world, "u_pam")
    assert _rows(world, "u_somebody") == {"postgres/served_lists": 1}


def test_who_is_being_erased_claims_no_visit_and_gets_no_recovery(world: World) -> None:
    """Both come when the erasure has the account and has not emptied the tables yet."""
    world.move_in("u_pat")
    visits, accounts = VisitStore(world.database), AccountStore(world.database)
    with ThreadPoolExecutor(3) as pool, world.database.transaction() as held:
        held.execute("SELECT FROM user_counters WHERE user_id = 'u_pat' FOR UPDATE")
        erased = pool.submit(_erase_now, world, "u_pat")
        assert wait_until(lambda: _waiting(world) == 1, DEADLINE_S)
        claimed = pool.submit(visits.claim, "v_new", "u_pat")
        recovery = pool.submit(accounts.add_recovery, b"digest", "u_pat", 60)
        assert wait_until(lambda: _waiting(world) == 3, DEADLINE_S)
    assert erased.result().user_id == "u_pat"
    with pytest.raises(Unauthenticated, match="erased just now"):
        claimed.result()
    recovery.result()
    assert not _rows(world, "u_pat", "v_new")
    assert not visits.is_over("v_new")


def _waiting(world: World) -> int:
    """How many wait for what somebody else holds."""
    return len(
        world.store.query(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


def test_visits_are_not_merged_any_more(world: World) -> None:
    visit = world.move_in("u_pia")
    _erase_now(world, "u_pia")
    people = [one.user_id for one in VisitStore(world.database).unmerged(1_000)]
    assert "u_pia" not in people
    assert not _rows(world, visit)


async def test_dead_letters_are_not_replayed(world: World, http: httpx.AsyncClient) -> None:
    world.move_in("u_quy")
    receipt = await _erase(http, "u_quy")
    await _completed(http, receipt["erasure_id"])
    mine = PeopleFilter(["u_quy"])
    assert not any(map(mine, await asyncio.to_thread(read_letters, world.kafka, EVENTS)))
    await asyncio.to_thread(replay, world.kafka, EVENTS, "undecodable")
    found = await asyncio.to_thread(
        lambda: scan(world.kafka, EVENTS.__eq__, mine, deadline_s=30, most=10)
    )
    assert [len(one.found) for one in found] == [1]  # the one of before


def test_a_letter_that_was_replayed_by_hand_counts_by_its_first_time(world: World) -> None:
    """Written to Kafka past the gateway, without `accepted_at`."""
    old = Event(event_id="old", user_id="u_rae", item_id="kettle", type=EventType.EVENT_TYPE_CLICK)
    old.occurred_at.GetCurrentTime()
    first = Record(EVENTS, 0, 1, int(PAST.timestamp() * 1_000), b"u_rae", old.SerializeToString())
    letter = to_dead_letter(Refusal(first, "invalid_event", "a test"))
    _erase_now(world, "u_rae")
    original = to_original(Record(letter.topic, 0, 0, 0, letter.key, letter.value, letter.headers))
    now_ms = int(datetime.now(UTC).timestamp() * 1_000) + 60_000
    again = Record(EVENTS, 0, 2, now_ms, original.key, original.value, original.headers)
    assert [one.kind for one in world.ingest.ingest([decode_event(again)])] == ["erased"]


async def test_the_same_id_may_begin_anew(world: World, http: httpx.AsyncClient) -> None:
    world.move_in("u_sam")
    receipt = await _erase(http, "u_sam")
    later = datetime.now(UTC) + timedelta(seconds=6)
    (outcome,) = world.ingest.ingest([given("new", "u_sam", accepted_at=later)])
    assert outcome.entry is not None
    # In an epoch of its own: no vector of before is taken for a later one.
    assert (outcome.kind, outcome.entry.n, outcome.entry.epoch) == ("stored", 1, 1)
    states = StateStore(world.database, MODEL, width=1, state_width=1)
    assert states.save([_state("u_sam", epoch=0)]) == set()
    assert states.save([_state("u_sam", epoch=1)]) == {"u_sam"}
    await _completed(http, receipt["erasure_id"])
    assert world.store.log_of("u_sam") == ["new"]
    assert _rows(world, "u_sam")["postgres/user_states"] == 1
    path = f"/v1/erasures/{receipt.pop('erasure_id')}/check"
    assert (await http.post(path, json=receipt)).json()["begun_anew"] is True


async def test_a_gateway_that_dies_in_the_middle_leaves_it_to_another(world: World) -> None:
    world.move_in("u_tom")
    store = ErasureStore(world.database)
    receipt, _ = store.begin("u_tom")
    world.store.query("UPDATE forgettings SET done_at = now(), people = '{}'")
    taken = store.take(seconds=0.01)
    assert taken is not None
    assert "u_tom" in taken.people
    async with world.http() as http:
        told = await _completed(http, receipt.erasure_id)
    assert {one["place"]: one["state"] for one in told["places"]}[
        "kafka/impressions"
    ] == "forgotten"


async def test_it_goes_on_once_kafka_is_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.move_in("u_uma")
    store = ErasureStore(world.database)
    async with world.http() as http:
        erasures = world.replica.privacy._erasures
        with monkeypatch.context() as patch:
            patch.setattr(erasures._kafka, "_servers", "127.0.0.1:1")
            receipt = await _erase(http, "u_uma")
            await _until(lambda: _is_put_off(world, receipt["erasure_id"]))
            assert store.get(receipt["erasure_id"]).completed_at is None  # type: ignore[union-attr]
        await _completed(http, receipt["erasure_id"])


def test_every_topic_about_people_is_known_as_such(world: World) -> None:
    topics = {one.topic for one in scan(world.kafka, about_people, _nothing, deadline_s=30, most=1)}
    ours = {EVENTS, INTERACTIONS, IMPRESSIONS, user_vectors(MODEL)}
    assert ours | {dead_letters(name) for name in ours - {IMPRESSIONS}} <= topics
    assert not any(name.startswith("item") for name in topics)


def _nothing(_record: Record) -> bool:
    return False


def test_a_receipt_is_for_one_erasure() -> None:
    receipt = Receipt("er_1", "u_1", ("v_1",), AS_OF, "code")
    assert receipt.matches(receipt.digest())
    moved = {"erasure_id": "er_2", "user_id": "u_2", "visits": (), "code": "other"}
    for field, value in moved.items():
        assert not replace(receipt, **{field: value}).matches(receipt.digest())  # type: ignore[arg-type]
