"""Items, the ranker and events as they happen, through both doors."""

from __future__ import annotations  # the asyncio stub's class exists for the type checker alone

import asyncio
from collections.abc import AsyncIterator

import grpc
import httpx
import pytest

from headrace.api.events.v1 import events_pb2
from headrace.api.gateway.v1 import console_pb2 as api
from headrace.client import AsyncConsole, LiveEvents
from headrace.errors import InvalidInput, PermissionDenied
from headrace.local.waiting import wait_until
from services.gateway.console.status_models import RankerStatus
from services.gateway.console.upstream import status_of
from tests.unit.gateway.console_world import STATUS, Around, stub_at
from tests.unit.gateway.doors import ADMIN_KEY, CATALOGUE_KEY, READER_KEY
from tests.unit.gateway.test_live import event


@pytest.fixture
def around() -> Around:
    return Around()


@pytest.fixture
async def http(around: Around) -> AsyncIterator[httpx.AsyncClient]:
    async with around.http() as client:
        yield client


@pytest.fixture
async def address(around: Around) -> AsyncIterator[str]:
    async with around.address() as address:
        yield address


async def test_both_doors_tell_about_an_item(http: httpx.AsyncClient, address: str) -> None:
    answer = await http.get("/v1/inspect/items/1", headers=CATALOGUE_KEY)
    assert answer.status_code == httpx.codes.OK, answer.text
    told = answer.json()
    assert (told["state"]["visibility"], told["in_lists"]) == ("visible", True)
    assert told["item"]["title"] == "Film 1"
    assert [one["item_id"] for one in told["similar"]] == ["2", "3", "4", "5", "6"]
    assert told["windows"][0] == {"window": "hour", "impressions": 9, "events": 2}
    async with AsyncConsole(address, api_key="catalogue-key-0123456789") as console:
        same = await console.inspect_item("1")
    assert (same.visibility, same.in_lists, same.revision) == ("visible", True, 4)
    assert same.item is not None
    assert same.item.title == "Film 1"
    assert [one.item_id for one in same.similar] == ["2", "3", "4", "5", "6"]
    assert [(one.window, one.impressions, one.events) for one in same.windows] == [
        ("hour", 9, 2),
        ("day", 30, 3),
    ]


async def test_a_hidden_item_is_told_with_what_it_was(
    around: Around, http: httpx.AsyncClient
) -> None:
    around.world.ranker.forget("2")
    told = (await http.get("/v1/inspect/items/2", headers=ADMIN_KEY)).json()
    assert (told["state"]["visibility"], told["item"], told["in_lists"]) == ("deleted", None, False)
    assert (told["similar"], told["windows"][1]["events"]) == ([], 3)
    assert (await http.get("/v1/inspect/items/none", headers=ADMIN_KEY)).status_code == 404
    assert (await http.get("/v1/inspect/items/1", headers=READER_KEY)).status_code == 403


async def test_both_doors_tell_how_the_ranker_is(
    around: Around, http: httpx.AsyncClient, address: str
) -> None:
    over_http = (await http.get("/v1/console/status", headers=ADMIN_KEY)).json()["ranker"]
    assert RankerStatus.model_validate(over_http) == status_of(STATUS)
    assert [one["lag"] for one in over_http["readers"]] == [0, None]
    assert over_http["people_max_bytes"] == 2**40
    async with stub_at(address) as stub:
        over_grpc = await stub.GetStatus(api.GetStatusRequest(), metadata=list(ADMIN_KEY.items()))
    assert over_grpc.ranker == STATUS
    async with AsyncConsole(address, api_key="admin-key-0123456789") as console:
        told = await console.status()
    assert (told.model.metrics, told.trending_loaded_at) == ({"HR@10": 0.25}, None)
    assert [(one.base, one.delta) for one in told.indexes] == [(4, 2)]
    assert [one.lag for one in told.readers] == [0, None]
    around.world.lose_ranker()
    assert (await http.get("/v1/console/status", headers=ADMIN_KEY)).status_code == 503


async def test_both_doors_show_events_as_they_happen(
    around: Around, http: httpx.AsyncClient, address: str
) -> None:
    params = {"user_id": "ann", "type": "click"}
    asked = asyncio.create_task(http.get("/v1/console/events", params=params, headers=ADMIN_KEY))
    wanted = api.WatchEventsRequest(user_id="ann", types=[events_pb2.EVENT_TYPE_CLICK])
    async with stub_at(address) as stub:
        stream = stub.WatchEvents(wanted, metadata=list(ADMIN_KEY.items()))

        async def watch() -> list[LiveEvents]:
            async with AsyncConsole(address, api_key="admin-key-0123456789") as console:
                return [came async for came in console.watch("ann", ["click"])]

        watching = asyncio.create_task(watch())
        await asyncio.to_thread(wait_until, lambda: len(around.taps.live) == 3, 5)
        await around.taps.send(event(7), event(8, "bob"), event(9, "ann", "like"))
        over_grpc = await stream.read()
        around.taps.live.close()
        over_http = await asked
        assert await stream.read() is grpc.aio.EOF
        (seen,) = await watching
    assert over_http.headers["content-type"].startswith("text/event-stream")
    message = f"event: event\ndata: {event(7).model_dump_json()}\n\n"
    assert over_http.text == f": here\n\n{message}"
    assert isinstance(over_grpc, api.WatchEventsResponse)
    assert [one.event_id for one in over_grpc.events] == ["e7"]
    assert over_grpc.events[0].type == events_pb2.EVENT_TYPE_CLICK
    assert [one.event_id for one in seen.events] == ["e7"]
    assert (seen.events[0].value, seen.events[0].accepted_at) == (None, None)
    assert (await http.get("/v1/console/events", headers=ADMIN_KEY)).status_code == 503


async def test_a_watch_that_cannot_be_kept_is_refused(
    http: httpx.AsyncClient, address: str
) -> None:
    answer = await http.get("/v1/console/events", params={"type": "jump"}, headers=ADMIN_KEY)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "type" in answer.json()["errors"][0]["field"]
    assert (await http.get("/v1/console/events", headers=CATALOGUE_KEY)).status_code == 403
    async with AsyncConsole(address, api_key="reader-key-0123456789") as console:
        with pytest.raises(PermissionDenied):
            await anext(console.watch())
        with pytest.raises(InvalidInput):
            await anext(console.watch(types=["jump"]))  # type: ignore[list-item]
