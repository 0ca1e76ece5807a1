"""Looking into lists through both doors."""

from __future__ import annotations  # the asyncio stub's class exists for the type checker alone

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToDict

from headrace.api.gateway.v1 import console_pb2 as api
from headrace.api.gateway.v1 import console_pb2_grpc, gateway_pb2
from headrace.client import AsyncConsole
from headrace.client import Console as BlockingConsole
from headrace.errors import NotFound, PermissionDenied
from services.gateway.console.models import Inspection
from services.gateway.console.upstream import inspection_of
from services.gateway.lists import RankedList
from services.gateway.models import RecommendationRequest
from tests.unit.gateway.console_world import TOLD, Around
from tests.unit.gateway.doors import ADMIN_KEY, CATALOGUE_KEY, READER_KEY
from tests.unit.gateway.memory import MemoryImpressions


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


async def looked_into(http: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await http.post("/v1/inspect/recommendations", json=body, headers=ADMIN_KEY)
    assert answer.status_code == httpx.codes.OK, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_both_doors_tell_the_same(http: httpx.AsyncClient, address: str) -> None:
    over_http = await looked_into(http, user_id="u", n=2)
    request = api.InspectRecommendationsRequest(
        request=gateway_pb2.RecommendRequest(user_id="u", n=2)
    )
    async with grpc.aio.insecure_channel(address) as channel:
        stub: console_pb2_grpc.ConsoleServiceAsyncStub = console_pb2_grpc.ConsoleServiceStub(
            channel
        )
        over_grpc = await stub.InspectRecommendations(request, metadata=list(ADMIN_KEY.items()))
    assert over_grpc.inspection == TOLD
    told = Inspection.model_validate(over_http["inspection"])
    assert told == inspection_of(TOLD)
    places = [one["item_id"] for one in over_http["list"]["items"]]
    assert places == [one.item_id for one in over_grpc.list.items] == ["6", "5"]
    assert over_http["events"][0]["type"] == "click"
    event = MessageToDict(over_grpc.events[0], preserving_proto_field_name=True)
    assert event["occurred_at"] == over_http["events"][0]["occurred_at"]
    assert event["type"] == "EVENT_TYPE_CLICK"


async def test_the_list_is_the_one_that_the_gateway_answers(
    around: Around, http: httpx.AsyncClient
) -> None:
    await around.world.gateway.items.delete("5")
    body = {"user_id": "u", "n": 3, "exclude": ["4"]}
    served = (await http.post("/v1/recommendations", json=body, headers=ADMIN_KEY)).json()
    told = await looked_into(http, **body)
    assert told["list"]["items"] == served["items"]
    assert isinstance(around.world.impressions, MemoryImpressions)
    assert len(around.world.impressions.lists) == 1  # that of the served list


async def test_interests_make_the_list_of_somebody_new_and_are_told(
    around: Around, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    around.liked["u_new"] = ("Action", "Drama")

    def cold(request: RecommendationRequest) -> Awaitable[RankedList]:
        return recommend(request.model_copy(update={"user_id": None}))

    recommend = around.world.ranker.recommend
    monkeypatch.setattr(around.world.ranker, "recommend", cold)
    told = await looked_into(http, user_id="u_new", n=4)
    assert [one["item_id"] for one in told["list"]["items"]] == ["1", "2", "3", "4"]
    assert told["interests"] == ["Action", "Drama"]
    assert (await looked_into(http, user_id="u_other"))["interests"] == []


@pytest.mark.parametrize("key", [READER_KEY, CATALOGUE_KEY, {}])
async def test_only_operators_look_into_lists(
    http: httpx.AsyncClient, address: str, key: dict[str, str]
) -> None:
    body = {"user_id": "u"}
    answer = await http.post("/v1/inspect/recommendations", json=body, headers=key)
    assert answer.status_code == (403 if key else 401)
    answer = await http.get("/v1/console/status", headers=key)
    assert answer.status_code == (403 if key else 401)
    async with grpc.aio.insecure_channel(address) as channel:
        stub: console_pb2_grpc.ConsoleServiceAsyncStub = console_pb2_grpc.ConsoleServiceStub(
            channel
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.InspectRecommendations(
                api.InspectRecommendationsRequest(
                    request=gateway_pb2.RecommendRequest(user_id="u")
                ),
                metadata=list(key.items()),
            )
    assert caught.value.code().name == ("PERMISSION_DENIED" if key else "UNAUTHENTICATED")


async def test_merchandisers_look_into_lists_for_nobody(http: httpx.AsyncClient) -> None:
    pin = [{"item_id": "3", "position": 1}]
    for key, status in ((CATALOGUE_KEY, 200), (READER_KEY, 403)):
        body = {"n": 2, "pin": pin}
        answer = await http.post("/v1/inspect/recommendations", json=body, headers=key)
        assert answer.status_code == status


async def test_a_request_that_cannot_be_used_is_refused_as_elsewhere(
    http: httpx.AsyncClient,
) -> None:
    body = {"n": 1_000, "colour": "red"}
    answer = await http.post("/v1/inspect/recommendations", json=body, headers=ADMIN_KEY)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert {one["field"] for one in answer.json()["errors"]} == {"n", "colour"}
    body = {"kind": "similar", "items": ["lost"]}
    answer = await http.post("/v1/inspect/recommendations", json=body, headers=ADMIN_KEY)
    assert answer.status_code == httpx.codes.NOT_FOUND


async def test_without_the_ranker_there_is_nothing_to_look_into(
    around: Around, http: httpx.AsyncClient
) -> None:
    around.world.lose_ranker()
    answer = await http.post("/v1/inspect/recommendations", json={}, headers=ADMIN_KEY)
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE


async def test_the_clients_tell_it_in_their_words(address: str) -> None:
    async with AsyncConsole(address, api_key="admin-key-0123456789") as console:
        told = await console.inspect("u", n=2)
        with pytest.raises(NotFound):
            await console.inspect(kind="similar", items=["lost"])
    assert [one.item_id for one in told.recommendations.items] == ["6", "5"]
    first, second = told.candidates
    assert (first.item.title, first.retrieval_rank, first.retrieval_score) == ("Film 6", 2, 1.5)
    assert (second.source, second.retrieval_score, second.left_out) == ("trending", None, ("rank",))
    assert told.person is not None
    assert (told.person.n, told.person.last_occurred_at) == (3, None)
    assert told.steps[0].examples[0].item_id == "6"
    assert (told.events[0].type, told.events[0].value) == ("click", None)
    with BlockingConsole(address, api_key="reader-key-0123456789") as console:
        denied = await asyncio.to_thread(_refused, console)
    assert isinstance(denied, PermissionDenied)


def _refused(console: BlockingConsole) -> Exception | None:
    try:
        console.inspect("u")
    except PermissionDenied as error:
        return error
    return None
