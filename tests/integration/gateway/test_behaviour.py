"""On a real Postgres: what is told about behaviour, at both doors, and who may hear it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import grpc
import httpx
import psycopg2
import pytest

from headrace.api.behaviour.v1 import behaviour_pb2, behaviour_pb2_grpc
from headrace.client import AsyncBehaviour, Behaviour
from headrace.contracts.segments import SEGMENTS
from headrace.errors import InvalidInput, PermissionDenied, Unavailable
from headrace.local.ports import HOST, free_ports
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.readiness import Readiness
from headrace.store.database import Database
from headrace.store.segment_members import members_of
from services.event_ingest.behaviour import BehaviourRefresh
from services.gateway.behaviour import service
from services.gateway.behaviour.grpc import BEHAVIOUR, BehaviourServicer
from services.gateway.behaviour.models import ClickThroughQuery, SegmentsQuery
from services.gateway.behaviour.routes import behaviour_routes
from services.gateway.behaviour.store import BehaviourStore
from services.gateway.http import BodyLimits, build_app
from services.gateway.tokens import Claims, Kind
from tests.conftest import PostgresServer, scratch_database
from tests.unit.gateway.doors import ADMIN_KEY, CATALOGUE_KEY, EVENTS_KEY, READER_KEY
from tests.unit.gateway.memory import ACCESS, TOKENS, World

NOW = datetime.now(UTC)
ITEMS = [
    ("pan", "Pan", ["Home > Kitchen"], '{"amount": 4000, "currency": "EUR"}'),
    ("mug", "Mug", ["Home > Kitchen", "Home > Gifts"], None),
    ("book", "Book", ["Books"], '{"amount": 900, "currency": "USD"}'),
    ("gone", "Gone", ["Books"], None),
]
VIEW, CLICK, CART, PURCHASE, RATING = 1, 2, 3, 4, 7
# (who, kind, item, minutes ago or the moment itself)
DID: list[tuple[str, int, str, int | datetime]] = [
    ("ann", VIEW, "pan", 40),
    ("ann", CLICK, "pan", 30),
    ("ann", CART, "pan", 20),
    ("ann", PURCHASE, "pan", 10),
    ("bob", VIEW, "pan", 90),
    ("cleo", CLICK, "book", 100),
    ("cleo", PURCHASE, "book", 50),
    ("cleo", PURCHASE, "mug", 50),
    ("bob", RATING, "book", 95),
    ("bob", RATING, "book", 96),
    ("bob", CLICK, "gone", 10),
    ("dan", VIEW, "mug", datetime(2026, 1, 7, 12, tzinfo=UTC)),
    ("dan", CART, "mug", datetime(2026, 1, 8, 12, 0, 1, tzinfo=UTC)),
    ("dan", VIEW, "mug", datetime(2026, 1, 20, tzinfo=UTC)),
    ("eve", VIEW, "mug", datetime(2026, 1, 13, tzinfo=UTC)),
]

WHAT = ("funnel", "trends", "retention", "segments", "click-through")

Door = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="module")
def counted(postgres: PostgresServer) -> Iterator[str]:
    """The DSN of a database in which all of that happened and was counted."""
    with scratch_database(postgres) as dsn:
        connection = psycopg2.connect(dsn)
        with connection, connection.cursor() as cursor:
            for item_id, title, categories, price in ITEMS:
                cursor.execute(
                    "INSERT INTO items (item_id, title, description, categories, tags, attributes,"
                    " revision, price, deleted) VALUES (%s, %s, '', %s, '{}', '{}', 1, %s, %s)",
                    (item_id, title, categories, price, item_id == "gone"),
                )
            for n, (who, kind, item_id, at) in enumerate(DID):
                moment = at if isinstance(at, datetime) else NOW - timedelta(minutes=at)
                cursor.execute(
                    "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type,"
                    " occurred_at, backfill, body_hash)"
                    " SELECT %s, %s, %s, ordinal, %s, %s, false, ''"
                    " FROM items WHERE item_id = %s",
                    (who, n, f"e{n}", kind, moment, item_id),
                )
            cursor.executemany(
                "INSERT INTO click_through VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (datetime(2026, 1, 7, 23, tzinfo=UTC), 1, 1, "m1", 100, 8, 2),
                    (datetime(2026, 1, 8, 0, tzinfo=UTC), 1, 1, "m1", 100, 6, 0),
                    (datetime(2026, 1, 8, 1, tzinfo=UTC), 2, 1, "m2", 200, 2, 0),
                    (datetime(2026, 1, 8, 1, tzinfo=UTC), 1, 10, "m2", 50, 1, 0),
                    (datetime(2026, 1, 8, 1, tzinfo=UTC), 1, 2, "m2", 50, 0, 0),
                    (datetime(2026, 1, 8, 1, tzinfo=UTC), 8, 1, "", 20, 10, 0),
                ],
            )
            cursor.execute(
                "INSERT INTO click_through_progress (as_of) VALUES (%s)",
                (datetime(2026, 1, 8, 12, tzinfo=UTC),),
            )
        connection.close()
        connections = Database(dsn, size=1)
        BehaviourRefresh(connections, period_s=60).round()
        connections.close()
        yield dsn


@pytest.fixture(scope="module")
def behaviour(counted: str) -> Iterator[service.Behaviour]:
    connections = Database(counted)
    yield service.Behaviour(BehaviourStore(connections))
    connections.close()


@pytest.fixture
async def http(behaviour: service.Behaviour) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(
        World().gateway,
        ACCESS,
        Readiness(),
        BodyLimits(1_000, 1_000),
        doors=[behaviour_routes(behaviour, ACCESS)],
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@pytest.fixture
async def address(behaviour: service.Behaviour) -> AsyncIterator[str]:
    (port,) = free_ports(1)
    async with grpc_server(
        host=HOST,
        port=port,
        services=[BEHAVIOUR],
        register=lambda server: behaviour_pb2_grpc.add_BehaviourServiceServicer_to_server(
            BehaviourServicer(behaviour, ACCESS), server
        ),
        readiness=Readiness(),
        grace_s=1,
    ):
        yield f"{HOST}:{port}"


@pytest.fixture
def ask(http: httpx.AsyncClient) -> Door:
    async def ask(what: str, **parameters: Any) -> dict[str, Any]:
        answer = await http.get(f"/v1/behaviour/{what}", params=parameters, headers=CATALOGUE_KEY)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return ask


def _journeys(stages: list[dict[str, Any]]) -> list[int]:
    assert [one["stage"] for one in stages] == ["view", "click", "cart", "purchase"]
    return [one["journeys"] for one in stages]


async def test_a_funnel_tells_how_many_come_how_far_and_of_how_many(ask: Door) -> None:
    # Five journeys of the last 30 days: ann's and bob's with the pan, cleo's with book and mug,
    # bob's with what is gone. Three bought.
    funnel = await ask("funnel")
    assert _journeys(funnel["stages"]) == [5, 4, 3, 3]
    assert [one["of_first"] for one in funnel["stages"]] == [1.0, 0.8, 0.6, 0.6]
    assert [one["of_before"] for one in funnel["stages"]] == [1.0, 0.8, 0.75, 1.0]
    assert {one["category"]: _journeys(one["stages"]) for one in funnel["categories"]} == {
        "Home": [3, 2, 2, 2],
        "Home > Kitchen": [3, 2, 2, 2],
        "Books": [2, 2, 1, 1],
        "Home > Gifts": [1, 1, 1, 1],
    }
    assert date.fromisoformat(funnel["until"]) - date.fromisoformat(funnel["since"]) == timedelta(
        29
    )


async def test_a_funnel_of_a_category_and_of_days_counts_what_began_then(ask: Door) -> None:
    days = {"since": "2026-01-07", "until": "2026-01-08"}
    of_a_day = await ask("funnel", category="Home", **days)
    assert _journeys(of_a_day["stages"]) == [2, 1, 1, 0]  # a pause of a day and a second
    assert [one["category"] for one in of_a_day["categories"]] == ["Home > Gifts", "Home > Kitchen"]
    assert _journeys((await ask("funnel", window="week", **days))["stages"]) == [1, 1, 1, 0]
    empty = await ask("funnel", category="Nothing", n=0)
    assert [one["of_first"] for one in empty["stages"]] == [None] * 4
    assert empty["categories"] == []


async def test_trends_put_the_strongest_change_first_and_leave_deleted_items_out(
    ask: Door,
) -> None:
    rising = await ask("trends", window="hour")
    assert [(one["item_id"], one["events"], one["events_before"]) for one in rising["trends"]] == [
        ("pan", 4, 1),  # 3 / sqrt(5) = 1.34
        ("mug", 1, 0),  # 1
    ]
    assert rising["trends"][0]["score"] == pytest.approx(3 / 5**0.5)
    assert rising["trends"][0]["title"] == "Pan"
    falling = await ask("trends", window="hour", direction="falling")
    assert [(one["item_id"], one["score"]) for one in falling["trends"]] == [("book", -1.0)]
    assert await ask("trends", window="hour", category="Books") == {**rising, "trends": []}
    kitchen = await ask("trends", window="hour", category="Home", n=1)
    assert [one["item_id"] for one in kitchen["trends"]] == ["pan"]


async def test_trends_of_categories_have_their_days(ask: Door) -> None:
    found = await ask("trends", window="week", by="category")
    assert [(one["category"], one["events"]) for one in found["trends"]] == [
        ("Home", 6),
        ("Home > Kitchen", 6),
        ("Books", 5),
        ("Home > Gifts", 1),
    ]
    assert found["trends"][0]["item_id"] is found["trends"][0]["title"] is None
    assert {len(one["daily"]) for one in found["trends"]} == {28}
    assert sum(found["trends"][0]["daily"][-2:]) == 6  # midnight may lie between
    last = date.fromisoformat(found["first_day"]) + timedelta(27)
    assert last == datetime.fromisoformat(found["as_of"]).date()
    below = await ask("trends", window="week", by="category", category="Home")
    assert [one["category"] for one in below["trends"]] == ["Home > Kitchen", "Home > Gifts"]


async def test_a_cohort_has_an_entry_for_each_week_until_now(ask: Door) -> None:
    found = await ask("retention", since="2026-01-05", until="2026-01-13")
    weeks = (NOW.date() - date(2026, 1, 5)).days // 7
    first, second = found["cohorts"]
    assert (first["week"], first["people"]) == ("2026-01-05", 1)
    assert first["active"] == [1, 0, 1] + [0] * (weeks - 2)
    assert first["shares"][:3] == [1.0, 0.0, 1.0]
    assert first["complete"] == weeks
    assert (second["week"], second["people"], len(second["active"])) == ("2026-01-12", 1, weeks)
    lately = await ask("retention")
    assert [one["people"] for one in lately["cohorts"]][-1] >= 1
    assert lately["cohorts"][-1]["complete"] <= 1


async def test_segments_say_what_money_is_known_and_keep_currencies_apart(ask: Door) -> None:
    everybody = await ask("segments")
    assert (everybody["people"], everybody["money_known"]) == (5, False)
    # Last events: eve, dan, cleo, then ann and bob ten minutes ago; percent_rank 0, 0.25, 0.5,
    # 0.75, 0.75. Events: 1, 3, 3, 4, 4 for eve, cleo and dan, ann and bob: 0, 0.25, 0.25, 0.75.
    assert [
        (one["name"], one["recency"], one["frequency"], one["people"], one["share"], one["events"])
        for one in everybody["segments"]
    ] == [
        ("best", 4, 4, 2, 0.4, 8),
        ("cooling", 3, 2, 1, 0.2, 3),
        ("lost", 2, 2, 1, 0.2, 3),
        ("lost", 1, 1, 1, 0.2, 1),
    ]
    assert {one["money"] for one in everybody["segments"]} == {None}
    assert everybody["sales"] == [
        {"currency": "EUR", "purchases": 1, "amount": 4000},
        {"currency": "USD", "purchases": 1, "amount": 900},
        {"currency": None, "purchases": 1, "amount": None},
    ]
    euros = await ask("segments", currency="EUR")
    assert euros["money_known"]
    assert euros["segments"] == [
        {
            "name": "best", "recency": 4, "frequency": 4, "money": 1,
            "people": 1, "share": 1.0, "events": 4, "amount": 4000,
        }
    ]  # fmt: skip
    yen = await ask("segments", currency="JPY")
    assert (yen["people"], yen["money_known"], yen["segments"]) == (0, False, [])
    assert len((await ask("segments", n=1))["segments"]) == 1


async def test_the_people_of_a_segment_are_those_whom_the_analysis_counts(
    ask: Door, counted: str
) -> None:
    with closing(Database(counted, size=1)) as database:
        members = {name: members_of(database, name) for name in SEGMENTS}
    assert members == {
        "best": ["ann", "bob"], "loyal": [], "promising": [],
        "cooling": ["cleo"], "at_risk": [], "lost": ["dan", "eve"],
    }  # fmt: skip
    told: Counter[str] = Counter()
    for one in (await ask("segments"))["segments"]:
        told[one["name"]] += one["people"]
    assert told == {name: len(people) for name, people in members.items() if people}


async def test_click_through_is_told_apart_by_position_source_or_model(ask: Door) -> None:
    by_position = await ask("click-through")
    assert by_position["as_of"] == "2026-01-08T12:00:00Z"
    assert (by_position["since"], by_position["until"]) == ("2025-12-10", "2026-01-08")
    assert [(one["name"], one["shown"], one["clicked"]) for one in by_position["rows"]] == [
        ("1", 420, 26),
        ("2", 50, 0),
        ("10", 50, 1),
    ]
    assert by_position["rows"][1]["click_rate"] == 0
    assert by_position["rows"][2]["click_rate"] == 0.02
    sources = await ask("click-through", by="source", since="2026-01-08")
    assert [(one["name"], one["shown"], one["clicked"]) for one in sources["rows"]] == [
        ("retrieval", 200, 7),
        ("trending", 200, 2),
        ("search", 20, 10),
    ]
    models = await ask("click-through", by="model_version", until="2026-01-07")
    assert [(one["name"], one["shown"], one["bought"]) for one in models["rows"]] == [
        ("m1", 100, 2)
    ]
    # What only words had a say in is no model's.
    models = await ask("click-through", by="model_version", since="2026-01-08")
    assert [one["name"] for one in models["rows"]] == ["m2", "m1"]
    assert len((await ask("click-through", n=1))["rows"]) == 1


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("funnel", {"since": date(2026, 1, 1), "category": "Home", "window": "week", "n": 2}),
    ("trends", {"window": "hour", "by": "category", "direction": "falling"}),
    ("trends", {"window": "week", "n": 3}),
    ("retention", {"since": date(2026, 1, 5), "until": date(2026, 1, 31)}),
    ("segments", {"currency": "EUR"}),
    ("segments", {}),
    ("click_through", {}),
    ("click_through", {"by": "source", "since": date(2026, 1, 8), "n": 1}),
]


@pytest.mark.parametrize(("what", "asked"), CALLS)
async def test_both_clients_tell_what_the_http_door_does(
    ask: Door, address: str, what: str, asked: dict[str, Any]
) -> None:
    over_http = await ask(what.replace("_", "-"), **asked)
    async with AsyncBehaviour(address, api_key="catalogue-key-0123456789") as client:
        told = await getattr(client, what)(**asked)
    with Behaviour(address, api_key="catalogue-key-0123456789") as blocking:
        assert await asyncio.to_thread(getattr(blocking, what), **asked) == told
    shown = _plain(asdict(told))
    if what == "funnel":
        shown["categories"] = [
            {"category": path, "stages": stages} for path, stages in shown["categories"].items()
        ]
    assert shown == over_http


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _token(role: str) -> dict[str, str]:
    token = TOKENS.sign(Claims(Kind.ACCESS, "ann", "s1", role), 60)
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (READER_KEY, 403),
        (EVENTS_KEY, 403),
        (_token("shopper"), 403),
        (CATALOGUE_KEY, 200),
        (ADMIN_KEY, 200),
        (_token("merchandiser"), 200),
        (_token("operator"), 200),
    ],
)
async def test_merchandisers_operators_and_keys_of_the_catalogue_may_ask(
    http: httpx.AsyncClient, what: str, headers: dict[str, str], status: int
) -> None:
    assert (await http.get(f"/v1/behaviour/{what}", headers=headers)).status_code == status


async def test_the_grpc_door_asks_for_the_same_right(address: str) -> None:
    async with AsyncBehaviour(address, api_key="reader-key-0123456789") as client:
        for what in WHAT:
            with pytest.raises(PermissionDenied, match="catalogue"):
                await getattr(client, what.replace("-", "_"))()


@pytest.mark.parametrize(
    ("what", "parameters", "field"),
    [
        ("funnel", {"since": "yesterday"}, "since"),
        ("funnel", {"since": "1764000000"}, "since"),
        ("funnel", {"until": "2026-02-30"}, "until"),
        ("funnel", {"since": "2026-02-01", "until": "2026-01-31"}, "since"),
        ("funnel", {"since": "9999-12-31"}, "since"),
        ("funnel", {"window": "month"}, "window"),
        ("funnel", {"n": 101}, "n"),
        ("funnel", {"category": "A >> B"}, "category"),
        ("funnel", {"user_id": "ann"}, "user_id"),
        ("trends", {"by": "person"}, "by"),
        ("trends", {"direction": "up"}, "direction"),
        ("trends", {"n": 0}, "n"),
        ("retention", {"since": "2020-01-01", "until": "2026-01-31"}, "since"),
        ("segments", {"currency": "euro"}, "currency"),
        ("segments", {"n": 126}, "n"),
        ("click-through", {"by": "person"}, "by"),
        ("click-through", {"since": "2026-02-01", "until": "2026-01-01"}, "since"),
    ],
)
async def test_what_cannot_be_asked_is_named(
    http: httpx.AsyncClient, what: str, parameters: dict[str, Any], field: str
) -> None:
    answer = await http.get(f"/v1/behaviour/{what}", params=parameters, headers=CATALOGUE_KEY)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_the_first_and_the_last_day_of_the_calendar_are_days(ask: Door) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        for what in ("funnel", "retention", "click-through"):
            assert (await ask(what, until=day))["until"] == day
    assert (await ask("funnel", since="0001-01-01"))["stages"][0]["journeys"] == 9


async def test_the_grpc_door_names_what_cannot_be_asked(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = behaviour_pb2_grpc.BehaviourServiceStub(channel)
        metadata = (("authorization", "Bearer catalogue-key-0123456789"),)
        unknown = behaviour_pb2.GetTrendsRequest(window=behaviour_pb2.Window.ValueType(9))
        with pytest.raises(grpc.aio.AioRpcError, match="window") as refused:
            await stub.GetTrends(unknown, metadata=metadata)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    async with AsyncBehaviour(address, api_key="catalogue-key-0123456789") as client:
        with pytest.raises(InvalidInput, match="since"):
            await client.funnel(since=date(2026, 2, 1), until=date(2026, 1, 1))
        with pytest.raises(InvalidInput, match="window: must be one of hour, day, week"):
            await client.trends(window="month")  # type: ignore[arg-type]


async def test_until_the_first_count_there_is_no_answer(database: str) -> None:
    connections = Database(database)
    with pytest.raises(Unavailable, match="not been counted yet"):
        await service.Behaviour(BehaviourStore(connections)).segments(SegmentsQuery())
    with pytest.raises(Unavailable, match="not been counted yet"):
        await service.Behaviour(BehaviourStore(connections)).click_through(ClickThroughQuery())
    connections.close()


async def test_the_reference_describes_each_answer(
    http: httpx.AsyncClient, behaviour: service.Behaviour
) -> None:
    document = (await http.get("/openapi.json")).json()
    page = (await http.get("/docs")).text
    for what in WHAT:
        described = document["paths"][f"/v1/behaviour/{what}"]["get"]
        assert described["security"] == [{"apiKey": ["catalogue"]}]
        model = described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        fields = document["components"]["schemas"][model.rpartition("/")[2]]["properties"]
        answer = await http.get(f"/v1/behaviour/{what}", headers=CATALOGUE_KEY)
        assert answer.json().keys() == fields.keys()
        assert f'<section id="behaviour_{what.replace("-", "_")}">' in page
