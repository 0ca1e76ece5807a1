"""An export has all that every table and topic tells of a person, and nothing of others."""

import asyncio

import httpx
import orjson
import pytest
from pyroaring import BitMap

from headrace.client import AsyncPrivacy, Privacy
from headrace.errors import PermissionDenied, RateLimited
from headrace.runtime.topics import EVENTS, IMPRESSIONS, INTERACTIONS, dead_letters, user_vectors
from services.gateway.privacy.tables import TABLES
from tests.integration.gateway.account_world import grpc_address
from tests.integration.privacy.world import HASH, MODEL, World
from tests.unit.gateway.doors import READER_KEY

# What a column is called that says whose a row is.
_PERSONAL = (
    "user_id", "visitor_id", "person", "email", "email_key", "created_by", "session", "sign_in_id",
)  # fmt: skip


async def test_everything_is_in_it(world: World, http: httpx.AsyncClient) -> None:
    visit = world.move_in("u_ann")
    world.move_in("u_ben")
    world.store.query(
        "UPDATE user_states SET unwanted = %s, unwanted_categories = '{Tea}' WHERE user_id = %s",
        BitMap([1]).serialize(),
        "u_ann",
    )
    answer = await http.get("/v1/users/u_ann/export", headers=world.bearer("u_ann"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert HASH not in answer.text
    assert "u_ben" not in answer.text
    told = answer.json()
    assert (told["user_id"], told["visits"]) == ("u_ann", [visit])
    assert set(told["postgres"]) == {table.name for table in TABLES}
    assert all(told["postgres"].values()), [k for k, v in told["postgres"].items() if not v]
    (account,) = told["postgres"]["accounts"]
    assert (account["email"], account["interests"]) == ("u_ann@example.com", ["Drama"])
    events = told["postgres"]["interactions"]
    assert {(one["user_id"], one["item_id"], one["type"]) for one in events} == {
        ("u_ann", "kettle", "click"),
        (visit, "kettle", "click"),
    }
    states = {one["user_id"]: one for one in told["postgres"]["user_states"]}
    state = states["u_ann"]
    assert (state["vector"], state["recent_items"], state["seen_items"]) == (
        [1.0, 2.0],
        ["kettle"],
        ["kettle"],
    )
    assert (state["unwanted_items"], state["unwanted_categories"]) == (["kettle"], ["Tea"])
    assert states[visit]["unwanted_items"] == []
    assert {"category", "retracted_by"} <= events[0].keys()


async def test_what_kafka_still_holds_is_in_it(world: World, http: httpx.AsyncClient) -> None:
    world.move_in("u_carl")
    topics = (await http.get("/v1/users/u_carl/export", headers=world.bearer("u_carl"))).json()[
        "kafka"
    ]
    found = {name: len(one["records"]) for name, one in topics.items() if one["records"]}
    assert found == {
        EVENTS: 1,
        INTERACTIONS: 1,
        user_vectors(MODEL): 1,
        IMPRESSIONS: 1,
        dead_letters(EVENTS): 2,
    }
    (shown,) = topics[IMPRESSIONS]["records"]
    assert shown["says"]["lists"][0]["user_id"] == "u_carl"
    letters = [one["says"] for one in topics[dead_letters(EVENTS)]["records"]]
    assert letters[0]["item_id"] == "kettle"
    assert letters[1] == {"undecodable_bytes": 7}


async def test_the_clients_get_the_same_document(world: World) -> None:
    world.move_in("u_dan")
    token = world.bearer("u_dan")["authorization"].removeprefix("Bearer ")
    async with world.replica.running(), grpc_address(world.replica) as address:
        async with AsyncPrivacy(address, api_key=token) as client:
            first = orjson.loads(b"".join([piece async for piece in client.export("u_dan")]))
            with pytest.raises(PermissionDenied, match="alone"):
                _ = [piece async for piece in client.export("u_ann")]
        with Privacy(address, api_key=token) as blocking:
            second = orjson.loads(
                await asyncio.to_thread(lambda: b"".join(blocking.export("u_dan")))
            )
            assert first["postgres"]["interactions"] == second["postgres"]["interactions"]
            assert first["kafka"] == second["kafka"]
            with pytest.raises(RateLimited):
                await asyncio.to_thread(_again_and_again, blocking)


def _again_and_again(client: Privacy) -> None:
    for _ in range(10):
        list(client.export("u_dan"))


async def test_nobody_else_gets_it(world: World, http: httpx.AsyncClient) -> None:
    for headers, status in (({}, 401), (READER_KEY, 403), (world.bearer("u_eve"), 403)):
        assert (await http.get("/v1/users/u_ann/export", headers=headers)).status_code == status


async def test_of_somebody_unknown_it_is_empty(world: World, http: httpx.AsyncClient) -> None:
    told = (await http.get("/v1/users/nobody/export", headers=world.bearer("nobody"))).json()
    assert not any(told["postgres"].values())
    assert not any(one["records"] for one in told["kafka"].values())


def test_no_table_that_tells_of_people_is_forgotten(world: World) -> None:
    """A new table with such a column belongs into `services.gateway.privacy.tables`."""
    rows = world.store.query(
        "SELECT DISTINCT table_name FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_schema, table_name) WHERE table_schema = 'public'"
        " AND table_type = 'BASE TABLE' AND column_name = ANY(%s)",
        list(_PERSONAL),
    )
    # A digest, which an erasure makes.
    assert {name for (name,) in rows} - {"erased_people"} <= {table.name for table in TABLES}
