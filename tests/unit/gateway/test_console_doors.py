"""Looking into the system through both doors."""

from __future__ import annotations  # the asyncio stub's class exists for the type checker alone

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.events.v1 import events_pb2
from headrace.api.gateway.v1 import console_pb2 as api
from headrace.api.gateway.v1 import console_pb2_grpc, gateway_pb2
from headrace.api.ranker.v1 import inspection_pb2, ranker_pb2
from headrace.client import AsyncConsole, LiveEvents
from headrace.client import Console as BlockingConsole
from headrace.contracts.events import EventType
from headrace.errors import InvalidInput, NotFound, PermissionDenied
from headrace.local.ports import free_ports
from headrace.local.waiting import wait_until
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.readiness import Readiness
from services.gateway.console.grpc import CONSOLE, ConsoleServicer
from services.gateway.console.models import Inspection, ItemState, RankerStatus, ShownAndChosen
from services.gateway.console.routes import console_routes
from services.gateway.console.service import Console, Inspected
from services.gateway.console.upstream import inspection_of, status_of
from services.gateway.history.service import History, HistoryPage
from services.gateway.history.store import HistoryEntry
from services.gateway.http import BodyLimits, build_app
from services.gateway.lists import RankedList
from services.gateway.models import RecommendationRequest
from tests.unit.gateway.doors import ADMIN_KEY, CATALOGUE_KEY, READER_KEY
from tests.unit.gateway.memory import ACCESS, MemoryImpressions, World
from tests.unit.gateway.test_live import Taps, event

ITEM = inspection_pb2.NamedItem(item_id="6", title="Film 6")
TOLD = inspection_pb2.Inspection(
    person=inspection_pb2.InspectedPerson(n=3, has_vector=True, seen=1, recent=[ITEM]),
    steps=[inspection_pb2.Step(name="seen", kept=5, removed=1, examples=[ITEM])],
    sources=[inspection_pb2.FoundBy(source=ranker_pb2.SOURCE_RETRIEVAL, found=5, shown=2)],
    candidates=[
        inspection_pb2.Candidate(
            item=ITEM,
            categories=["Drama"],
            source=ranker_pb2.SOURCE_RETRIEVAL,
            retrieval_rank=2,
            retrieval_score=1.5,
            rank=1,
            score=0.5,
            place=1,
        ),
        inspection_pb2.Candidate(
            item=inspection_pb2.NamedItem(item_id="5", title="Film 5"),
            source=ranker_pb2.SOURCE_TRENDING,
            rank=2,
            score=0.25,
            left_out=["rank"],
        ),
    ],
    found=5,
)
STATUS = inspection_pb2.RankerStatus(
    model=inspection_pb2.ModelFacts(model_version="m1", width=8, metrics={"HR@10": 0.25}),
    started_at=Timestamp(seconds=1_700_000_000),
    items_known=7,
    items_shown=6,
    indexes=[inspection_pb2.IndexStatus(name="retrieval", base=4, delta=2)],
    people_max_bytes=2**40,
    readers=[
        inspection_pb2.ReaderStatus(topic="item-vectors.m1", caught_up=True, lag=0),
        inspection_pb2.ReaderStatus(topic="user-vectors.m1"),
    ],
)
CLICKED = HistoryEntry(
    n=3,
    event_id="e3",
    item_id="1",
    title="Film 1",
    categories=("Action",),
    picture_url="",
    type=EventType.CLICK,
    value=None,
    occurred_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
)


class _Clicked(History):
    """Everybody clicked once."""

    def __init__(self) -> None: ...

    async def page(self, user_id: str, limit: int, cursor: str | None) -> HistoryPage:
        return HistoryPage([CLICKED], None)


class Facts:
    """Film 1 is visible, film 2 was deleted; both were shown and chosen."""

    async def of(self, item_id: str) -> tuple[ItemState, list[ShownAndChosen]] | None:
        visibility = {"1": "visible", "2": "deleted"}.get(item_id)
        if visibility is None:
            return None
        state = {
            "item_id": item_id,
            "title": f"Film {item_id}",
            "revision": 4,
            "updated_at": CLICKED.occurred_at,
            "visibility": visibility,
        }
        windows = [
            ShownAndChosen(window="hour", impressions=9, events=2),
            ShownAndChosen(window="day", impressions=30, events=3),
        ]
        return ItemState.model_validate(state), windows


class Around:
    """A console over a gateway in memory, whose ranker tells TOLD of each list."""

    def __init__(self) -> None:
        self.world = World()
        self.facts = Facts()
        self.taps = Taps()
        self.liked: dict[str, tuple[str, ...]] = {}
        self.console = Console(
            gateway=self.world.gateway,
            inspector=self,
            interests=self,
            history=_Clicked(),
            facts=self.facts,
            similar=self.world.ranker.similar,
        )

    async def inspect(self, request: RecommendationRequest) -> Inspected:
        return Inspected(await self.world.ranker.recommend(request), inspection_of(TOLD))

    async def status(self) -> RankerStatus:
        if self.world.ranker.failure is not None:
            raise self.world.ranker.failure
        return status_of(STATUS)

    async def of(self, user_id: str) -> tuple[str, ...]:
        return self.liked.get(user_id, ())

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        limits = BodyLimits(events=1_000, items=1_000)
        doors = [console_routes(self.console, self.taps.live, ACCESS)]
        app = build_app(self.world.gateway, ACCESS, Readiness(), limits, doors=doors)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield client

    @asynccontextmanager
    async def address(self) -> AsyncIterator[str]:
        (port,) = free_ports(1)
        servicer = ConsoleServicer(self.console, self.taps.live, ACCESS)
        async with grpc_server(
            host="127.0.0.1",
            port=port,
            services=[CONSOLE],
            register=lambda server: console_pb2_grpc.add_ConsoleServiceServicer_to_server(
                servicer, server
            ),
            readiness=Readiness(),
            grace_s=1,
        ):
            yield f"127.0.0.1:{port}"


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


@asynccontextmanager
async def stub_at(address: str) -> AsyncIterator[console_pb2_grpc.ConsoleServiceAsyncStub]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield console_pb2_grpc.ConsoleServiceStub(channel)


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
    await around.world.gateway.delete_item("5")
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
