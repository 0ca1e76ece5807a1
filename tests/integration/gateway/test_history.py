"""What a person did: seen newest first, taken back by themselves alone, through both doors."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from headrace.client import AsyncHeadrace, HistoryPage
from headrace.contracts.events import retraction_id
from headrace.errors import NotFound, PermissionDenied
from tests.integration.event_ingest.world import Postgres
from tests.integration.gateway.account_world import IngestedLog, Person, Replica, grpc_address
from tests.unit.event_ingest.builders import given, minutes_ago
from tests.unit.gateway.doors import EVENTS_KEY, READER_KEY


@pytest.fixture
def store(people: str) -> Iterator[Postgres]:
    store = Postgres(people)
    store.add_item("kettle")
    store.add_item("mug", deleted=True)
    yield store
    store.close()


@pytest.fixture
def history(ann: Person, replica: Replica, store: Postgres) -> str:
    """Ann's path; she clicked, rated and bought."""
    user_id = ann.session["user_id"]
    replica.log.ingest.ingest(
        [
            given("e2", user_id, type=7, value=4.0, occurred_at=minutes_ago(5)),
            given("e1", user_id, occurred_at=minutes_ago(9)),
            given("e3", user_id, item_id="mug", type=4, occurred_at=minutes_ago(5)),
        ]
    )
    return f"/v1/users/{user_id}/history"


async def _read(ann: Person, path: str, **query: Any) -> dict[str, Any]:
    answer = await ann.http.get(path, params=query, headers=ann.bearer)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def _ids(page: dict[str, Any]) -> list[str]:
    return [entry["event_id"] for entry in page["entries"]]


async def test_entries_come_newest_first_with_what_is_known_of_their_items(
    ann: Person, history: str
) -> None:
    page = await _read(ann, history)
    assert _ids(page) == ["e3", "e2", "e1"]
    assert page["entries"][1] == {
        "event_id": "e2",
        "item_id": "kettle",
        "title": "A thing",
        "categories": [],
        "picture_url": "",
        "type": "rating",
        "value": 4.0,
        "occurred_at": minutes_ago(5).isoformat().replace("+00:00", "Z"),
    }
    assert page["next_cursor"] is None


async def test_pages_go_on_where_the_last_ended_whatever_is_removed_meanwhile(
    ann: Person, history: str, replica: Replica
) -> None:
    first = await _read(ann, history, limit=1)
    assert _ids(first) == ["e3"]
    await replica.log.retract(ann.session["user_id"], ["e3"])
    second = await _read(ann, history, limit=1, cursor=first["next_cursor"])
    assert _ids(second) == ["e2"]
    last = await _read(ann, history, limit=1, cursor=second["next_cursor"])
    assert (_ids(last), last["next_cursor"]) == (["e1"], None)


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"cursor": "e30"}, {"cursor": "?"}, {"since": "now"}]
)
async def test_a_page_that_there_is_not_is_refused_by_name(
    ann: Person, history: str, query: dict[str, Any]
) -> None:
    answer = await ann.http.get(history, params=query, headers=ann.bearer)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == next(iter(query))


async def test_a_removed_entry_is_gone_and_removing_it_again_changes_nothing(
    ann: Person, history: str, store: Postgres
) -> None:
    user_id = ann.session["user_id"]
    for _ in range(2):
        answer = await ann.http.delete(f"{history}/e2", headers=ann.bearer)
        assert answer.status_code == 202
        assert answer.json() == {"event_id": retraction_id(user_id, "e2")}
    assert _ids(await _read(ann, history)) == ["e3", "e1"]
    assert store.log_of(user_id) == ["e2", "e1", "e3", retraction_id(user_id, "e2")]


async def test_nobody_removes_what_is_not_in_their_own_history(
    ann: Person, history: str, http: httpx.AsyncClient, log: IngestedLog
) -> None:
    bob = Person(http, ann.mails, "bob@example.com")
    await bob.register()
    own = f"/v1/users/{bob.session['user_id']}/history"
    await http.delete(f"{history}/e3", headers=ann.bearer)
    taken_back = retraction_id(ann.session["user_id"], "e3")
    for path, person, status in (
        (f"{history}/e1", bob, 403),
        (f"{own}/e1", bob, 404),
        (f"{history}/never", ann, 404),
        (f"{history}/{taken_back}", ann, 404),
    ):
        assert (await http.delete(path, headers=person.bearer)).status_code == status, path
    assert (await http.get(history, headers=bob.bearer)).status_code == 403
    assert (await http.get(history)).status_code == 401
    assert _ids(await _read(ann, history)) == ["e2", "e1"]


@pytest.fixture
def log(replica: Replica) -> IngestedLog:
    return replica.log


async def test_a_key_reads_with_one_scope_and_removes_with_another(
    ann: Person, history: str
) -> None:
    for headers, reads, removes in ((READER_KEY, 200, 403), (EVENTS_KEY, 403, 202)):
        assert (await ann.http.get(history, headers=headers)).status_code == reads
        assert (await ann.http.delete(f"{history}/e1", headers=headers)).status_code == removes


async def test_grpc_and_the_client_do_the_same(ann: Person, history: str, replica: Replica) -> None:
    user_id, token = ann.session["user_id"], ann.session["access_token"]
    async with (
        grpc_address(replica) as address,
        AsyncHeadrace(address, api_key=token) as headrace,
    ):
        page: HistoryPage = await headrace.history(user_id, limit=2)
        newest = page.entries[0]
        assert (newest.event_id, newest.item_id, newest.type, newest.value) == (
            "e3", "mug", "purchase", None
        )  # fmt: skip
        assert newest.occurred_at == minutes_ago(5)
        rest = await headrace.history(user_id, limit=2, cursor=page.next_cursor)
        assert ([one.event_id for one in rest.entries], rest.next_cursor) == (["e1"], None)
        assert await headrace.remove_from_history(user_id, "e3") == retraction_id(user_id, "e3")
        assert _ids(await _read(ann, history)) == ["e2", "e1"]
        with pytest.raises(NotFound, match="never"):
            await headrace.remove_from_history(user_id, "never")
        with pytest.raises(PermissionDenied):
            await headrace.history("259")


async def test_the_document_says_who_may_call_it(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    assert {"history"} <= {tag["name"] for tag in document["tags"]}
    path = document["paths"]["/v1/users/{user_id}/history"]
    assert path["get"]["security"] == [{"apiKey": ["read"]}, {"accessToken": []}]
    entry = document["paths"]["/v1/users/{user_id}/history/{event_id}"]["delete"]
    assert entry["security"] == [{"apiKey": ["events"]}, {"accessToken": []}]
