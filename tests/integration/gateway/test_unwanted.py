"""What a person does not want: seen and taken back by themselves alone, through both doors."""

from collections.abc import Iterator

import pytest

from headrace.client import AsyncHeadrace
from headrace.contracts.events import retraction_id
from headrace.errors import InvalidInput, NotFound
from headrace.store.database import Database
from services.gateway.history.store import HistoryStore
from services.gateway.history.stored_unwanted import StoredUnwanted
from services.gateway.lists import Unwanted
from tests.integration.event_ingest.world import Postgres
from tests.integration.gateway.account_world import Person, Replica, grpc_address
from tests.unit.event_ingest.builders import given
from tests.unit.gateway.doors import EVENTS_KEY, READER_KEY

KITCHEN = "Home > Kitchen"


@pytest.fixture
def store(people: str) -> Iterator[Postgres]:
    store = Postgres(people)
    store.add_item("kettle")
    store.add_item("mug")
    yield store
    store.close()


@pytest.fixture
def unwanted(ann: Person, replica: Replica, store: Postgres) -> str:
    """Ann's path; she said it of the kettle twice, and of the kitchen."""
    user_id = ann.session["user_id"]
    replica.log.ingest.ingest(
        [
            given("e1", user_id, type=9),
            given("e2", user_id, type=9, item_id="", category=KITCHEN),
            given("e3", user_id, type=9),
            given("e4", user_id, item_id="mug"),
        ]
    )
    return f"/v1/users/{user_id}/not-interested"


async def _read(ann: Person, path: str) -> tuple[list[str], list[str]]:
    answer = await ann.http.get(path, headers=ann.bearer)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    return (
        [one["item_id"] for one in said["items"]],
        [one["category"] for one in said["categories"]],
    )


async def test_each_is_listed_once_and_taken_back_as_often_as_it_was_said(
    ann: Person, unwanted: str, store: Postgres
) -> None:
    user_id = ann.session["user_id"]
    assert await _read(ann, unwanted) == (["kettle"], [KITCHEN])
    back = await ann.http.delete(unwanted, params={"item_id": "kettle"}, headers=ann.bearer)
    assert (back.status_code, back.json()) == (202, {"event_id": retraction_id(user_id, "e3")})
    assert await _read(ann, unwanted) == ([], [KITCHEN])
    back = await ann.http.delete(unwanted, params={"category": "Home>Kitchen"}, headers=ann.bearer)
    assert back.json() == {"event_id": retraction_id(user_id, "e2")}
    assert await _read(ann, unwanted) == ([], [])
    assert store.query(
        "SELECT event_id FROM standing_interactions WHERE user_id = %s", user_id
    ) == [("e4",)]


@pytest.mark.usefixtures("unwanted")
async def test_nothing_is_trending_by_it(store: Postgres) -> None:
    counted = "SELECT item_id, events FROM item_minute_counts JOIN items ON ordinal = item_ordinal"
    assert store.query(counted) == [("mug", 1)]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"item_id": "mug"}, 404),
        ({"category": "Home"}, 404),
        ({"item_id": KITCHEN}, 404),
        ({}, 400),
        ({"item_id": "kettle", "category": KITCHEN}, 400),
        ({"category": " > "}, 400),
    ],
)
async def test_what_was_not_said_cannot_be_taken_back(
    ann: Person, unwanted: str, query: dict[str, str], status: int
) -> None:
    answer = await ann.http.delete(unwanted, params=query, headers=ann.bearer)
    assert answer.status_code == status
    assert await _read(ann, unwanted) == (["kettle"], [KITCHEN])


async def test_a_key_reads_with_one_scope_and_takes_back_with_another(
    ann: Person, unwanted: str
) -> None:
    query = {"item_id": "kettle"}
    for headers, reads, takes_back in ((READER_KEY, 200, 403), (EVENTS_KEY, 403, 202)):
        assert (await ann.http.get(unwanted, headers=headers)).status_code == reads
        answer = await ann.http.delete(unwanted, params=query, headers=headers)
        assert answer.status_code == takes_back
    others = await ann.http.get("/v1/users/259/not-interested", headers=ann.bearer)
    assert others.status_code == 403


async def test_grpc_and_the_client_do_the_same(
    ann: Person, unwanted: str, replica: Replica
) -> None:
    user_id, token = ann.session["user_id"], ann.session["access_token"]
    async with (
        grpc_address(replica) as address,
        AsyncHeadrace(address, api_key=token) as headrace,
    ):
        said = await headrace.unwanted(user_id)
        assert ([one.item_id for one in said.items], said.items[0].title) == (["kettle"], "A thing")
        assert [one.category for one in said.categories] == [KITCHEN]
        back = await headrace.want_again(user_id, category=KITCHEN)
        assert back == retraction_id(user_id, "e2")
        assert await _read(ann, unwanted) == (["kettle"], [])
        with pytest.raises(NotFound):
            await headrace.want_again(user_id, item_id="mug")
        with pytest.raises(InvalidInput, match="either"):
            await headrace.want_again(user_id)


async def test_lists_made_without_the_ranker_know_of_it_as_long_as_postgres_answers(
    ann: Person, unwanted: str, replica: Replica
) -> None:
    stored = StoredUnwanted(HistoryStore(replica.database))
    said = Unwanted()
    for _ in range(20):  # on a busy machine the first answers may be late
        said = said if said.items else await stored.of(ann.session["user_id"])
    assert said == Unwanted(frozenset({"kettle"}), frozenset({KITCHEN}))
    away = Database("postgresql://127.0.0.1:1/nowhere", wait_s=1)
    lost = StoredUnwanted(HistoryStore(away))
    for _ in range(5):
        assert await lost.of("u_ann") == Unwanted()
