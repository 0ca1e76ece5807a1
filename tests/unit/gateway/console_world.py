"""A console over a gateway in memory, and what it tells."""

from __future__ import annotations  # the asyncio stub's class exists for the type checker alone

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import grpc
import httpx
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.gateway.v1 import console_pb2_grpc
from headrace.api.ranker.v1 import inspection_pb2, ranker_pb2
from headrace.contracts.events import EventType
from headrace.local.ports import free_ports
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.readiness import Readiness
from services.gateway.console.grpc import CONSOLE, ConsoleServicer
from services.gateway.console.item_models import ItemState, ShownAndChosen
from services.gateway.console.routes import console_routes
from services.gateway.console.service import Console, Inspected
from services.gateway.console.status_models import RankerStatus
from services.gateway.console.upstream import inspection_of, status_of
from services.gateway.history.service import History, HistoryPage
from services.gateway.history.store import HistoryEntry
from services.gateway.http import BodyLimits, build_app
from services.gateway.models import RecommendationRequest
from tests.unit.gateway.memory import ACCESS, World
from tests.unit.gateway.test_live import Taps

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


@asynccontextmanager
async def stub_at(address: str) -> AsyncIterator[console_pb2_grpc.ConsoleServiceAsyncStub]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield console_pb2_grpc.ConsoleServiceStub(channel)
