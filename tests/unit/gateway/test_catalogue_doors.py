"""Browsing, searching and uploading through both doors."""

from __future__ import annotations  # the asyncio stub's class exists for the type checker alone

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import pytest

from headrace.api.catalogue.v1 import search_pb2
from headrace.api.gateway.v1 import catalogue_pb2 as api
from headrace.api.gateway.v1 import catalogue_pb2_grpc
from headrace.api.ranker.v1 import filter_pb2
from headrace.client import AsyncCatalogue, Catalogue, FoundItems, Suggestion, UploadReport
from headrace.contracts.items import NewItem, Price
from headrace.errors import InvalidInput, Unavailable
from headrace.local.ports import free_ports
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.readiness import Readiness
from services.gateway.catalogue.discovery import Discovery, FoundItem, FoundPage, blended
from services.gateway.catalogue.discovery import Taste as Liked
from services.gateway.catalogue.grpc import CATALOGUE, CatalogueServicer
from services.gateway.catalogue.routes import catalogue_routes
from services.gateway.http import BodyLimits, build_app
from tests.unit.gateway.doors import CATALOGUE_KEY, EVENTS_KEY, READER_KEY
from tests.unit.gateway.memory import ACCESS, MemoryImpressions, World

if TYPE_CHECKING:
    from headrace.contracts.filters import Condition
    from headrace.contracts.finding import FindRequest

KNIFE = NewItem(item_id="knife", title="Knife", price=Price(amount=1, currency="EUR"))
BOARD = NewItem(item_id="board", title="Knife board")


class Shelf:
    """Two items, found by the word `knife`; the second has half the score of the first."""

    def __init__(self) -> None:
        self.asked: list[FindRequest] = []

    async def find(self, request: FindRequest) -> FoundPage:
        self.asked.append(request)
        if request.cursor == "foreign":
            raise InvalidInput.of("cursor", "was given out for another query, filter or sort")
        if request.query and "knife" not in request.query.lower():
            return FoundPage([], 0, "", "none", "", None, b"\0\0\0\0", "m1")
        counts: list[dict[str, Any]] = [{"value": "Home", "count": 2}]
        facets = {"counted": 2, "categories": counts} | {
            name: [] for name in ("tags", "availability", "texts", "numbers", "prices")
        }
        return FoundPage(
            items=[FoundItem(KNIFE, 1.0), FoundItem(BOARD, 0.5)][: request.n],
            total=2,
            next_cursor="more" if request.n < 2 else "",
            match="all_words" if request.query else "",
            corrected_query="",
            facets=facets if request.facets else None,
        )

    async def categories(self, under: str) -> list[tuple[str, int]]:
        return [(path, 2) for path in ("Home", "Home > Kitchen") if path.startswith(under)]

    async def suggest(self, query: str, n: int) -> list[tuple[str, str]]:
        return [("knife", f"{query}ife")][:n]

    async def unanswered(self, n: int) -> list[tuple[str, int]]:
        return [("spaceship", 3)][:n]

    async def read(self, item_ids: Sequence[str]) -> list[NewItem]:
        return [item for item in (KNIFE, BOARD) if item.item_id in item_ids]


class Taste:
    """Wants boards."""

    def __init__(self) -> None:
        self.away = False

    async def taste(self, user_id: str, item_ids: Sequence[str]) -> Liked:
        if self.away:
            raise Unavailable("ranker: connection refused")
        wanted = {"board": 0.9, "knife": 0.1} if user_id == "ann" else {}
        return Liked("m1", {one: score for one, score in wanted.items() if one in item_ids})

    async def nearest(
        self, vector: bytes, model_version: str, n: int, condition: Condition | None
    ) -> list[tuple[str, float]]:
        if self.away:
            raise Unavailable("ranker: connection refused")
        assert (vector, model_version) == (b"\0\0\0\0", "m1")
        return [("gone", 0.8), ("board", 0.7)]


class Doors:
    """Both doors of one gateway."""

    def __init__(self) -> None:
        self.world, self.shelf, self.taste = World(), Shelf(), Taste()
        self.impressions = MemoryImpressions()
        self.discovery = Discovery(self.shelf, self.taste, self.world.choices, self.impressions)

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        store = self.world.gateway.items.upsert
        app = build_app(
            self.world.gateway,
            ACCESS,
            Readiness(),
            BodyLimits(events=1_000, items=1_000),
            doors=[catalogue_routes(self.discovery, store, ACCESS)],
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield client

    @asynccontextmanager
    async def address(self) -> AsyncIterator[str]:
        """Of the gRPC door."""
        (port,) = free_ports(1)
        servicer = CatalogueServicer(self.discovery, self.world.gateway.items.upsert, ACCESS)
        async with grpc_server(
            host="127.0.0.1",
            port=port,
            services=[CATALOGUE],
            register=lambda server: catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server(
                servicer, server
            ),
            readiness=Readiness(),
            grace_s=1,
        ):
            yield f"127.0.0.1:{port}"


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
async def http(doors: Doors) -> AsyncIterator[httpx.AsyncClient]:
    async with doors.http() as client:
        yield client


@pytest.fixture
async def stub(doors: Doors) -> AsyncIterator[catalogue_pb2_grpc.CatalogueServiceAsyncStub]:
    async with (
        doors.address() as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        yield catalogue_pb2_grpc.CatalogueServiceStub(channel)


def metadata(key: dict[str, str]) -> list[tuple[str, str]]:
    return list(key.items())


async def test_both_doors_find_the_same(
    doors: Doors, http: httpx.AsyncClient, stub: catalogue_pb2_grpc.CatalogueServiceAsyncStub
) -> None:
    condition = '{"price": {"currency": "EUR", "lte": 5}}'
    answer = await http.get(
        "/v1/search",
        params={"q": "knife", "filter": condition, "sort": "newest", "n": 1, "facets": "true"},
    )
    assert answer.status_code == httpx.codes.OK, answer.text
    body = answer.json()
    found = await stub.FindItems(
        api.FindItemsRequest(
            query="knife",
            filter=filter_pb2.Filter(
                all=filter_pb2.Filters(
                    filters=[filter_pb2.Filter(price=filter_pb2.PriceRange(currency="EUR", lte=5))]
                )
            ),
            sort=search_pb2.SORT_NEWEST,
            n=1,
            facets=True,
        )
    )
    over_http, over_grpc = doors.shelf.asked
    assert over_http == over_grpc
    assert [one["item_id"] for one in body["items"]] == [one.item.item_id for one in found.items]
    assert (body["total"], body["next_cursor"], body["match"]) == (2, "more", "all_words")
    assert (found.total, found.next_cursor) == (2, "more")
    assert found.match == search_pb2.MATCH_ALL_WORDS
    assert body["facets"]["categories"] == [{"value": "Home", "count": 2}]
    assert found.facets.categories[0].value == "Home"
    assert body["items"][0]["price"] == {"amount": 1, "currency": "EUR"}


async def test_browsing_a_category_asks_for_it_and_what_is_below(
    doors: Doors, http: httpx.AsyncClient
) -> None:
    answer = await http.get("/v1/items", params={"category": "Home>Kitchen"})
    assert (answer.status_code, answer.json()["match"]) == (httpx.codes.OK, None)
    (asked,) = doors.shelf.asked
    assert asked.order == "popular"
    assert asked.filter is not None
    assert asked.filter.parts[0].category is not None
    assert asked.filter.parts[0].category.one_of == ("Home > Kitchen",)


async def test_taste_has_a_say_only_where_somebody_is_named_and_known(
    doors: Doors, http: httpx.AsyncClient, stub: catalogue_pb2_grpc.CatalogueServiceAsyncStub
) -> None:
    async def first(**person: str) -> tuple[str, bool]:
        answer = await http.get("/v1/search", params={"q": "knife", **person}, headers=READER_KEY)
        body = answer.json()
        return body["items"][0]["item_id"], body["personal"]

    assert await first() == ("knife", False)
    assert await first(user_id="ann") == ("board", True)
    assert await first(user_id="stranger") == ("knife", False)
    found = await stub.FindItems(
        api.FindItemsRequest(query="knife", user_id="ann"), metadata=metadata(READER_KEY)
    )
    assert (found.items[0].item.item_id, found.personal) == ("board", True)
    doors.taste.away = True
    assert await first(user_id="ann") == ("knife", False)


async def test_what_a_search_finds_is_an_impression_and_browsing_is_none(
    doors: Doors, http: httpx.AsyncClient, stub: catalogue_pb2_grpc.CatalogueServiceAsyncStub
) -> None:
    asked = {"q": "knife", "user_id": "ann", "n": "1", "filter": '{"tag": {"one_of": ["new"]}}'}
    answer = (await http.get("/v1/search", params=asked, headers=READER_KEY)).json()
    (one,) = doors.impressions.lists
    assert (one.request_id, one.user_id, one.kind) == (answer["request_id"], "ann", "search")
    assert (one.model_version, one.personal, one.degraded) == ("m1", True, None)
    assert [(item.item_id, item.score, item.source) for item in one.items] == [
        ("board", answer["items"][0]["score"], "search")
    ]
    assert one.filter is not None
    assert one.filter == doors.shelf.asked[0].filter

    await stub.FindItems(api.FindItemsRequest(query="spaceship"))
    nearest = doors.impressions.lists[-1]
    assert (nearest.user_id, nearest.model_version, nearest.personal) == (None, "m1", False)
    assert [item.item_id for item in nearest.items] == ["board"]

    doors.taste.away = True
    await http.get("/v1/search", params={"q": "knife", "user_id": "ann"}, headers=READER_KEY)
    worse = doors.impressions.lists[-1]
    assert (worse.model_version, worse.degraded) == ("", "ranker_unavailable")
    await http.get("/v1/search", params={"q": "spaceship"})  # finds nothing now
    await http.get("/v1/items")
    assert len(doors.impressions.lists) == 3


async def test_a_search_of_who_opted_out_is_noted_down_as_nobodys(
    doors: Doors, http: httpx.AsyncClient
) -> None:
    doors.world.choices.apply([("ann", False)])
    await http.get("/v1/search", params={"q": "knife", "user_id": "ann"}, headers=READER_KEY)
    (one,) = doors.impressions.lists
    assert (one.user_id, one.personal) == (None, False)


async def test_a_persons_order_needs_a_key_that_reads(
    http: httpx.AsyncClient, stub: catalogue_pb2_grpc.CatalogueServiceAsyncStub
) -> None:
    params = {"q": "knife", "user_id": "ann"}
    assert (await http.get("/v1/search", params=params)).status_code == 401
    answer = await http.get("/v1/search", params=params, headers=EVENTS_KEY)
    assert answer.status_code == 403
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.FindItems(api.FindItemsRequest(query="knife", user_id="ann"))
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_words_that_no_item_has_give_what_is_nearest_and_still_visible(
    doors: Doors, http: httpx.AsyncClient
) -> None:
    body = (await http.get("/v1/search", params={"q": "spaceship"})).json()
    assert (body["match"], [one["item_id"] for one in body["items"]]) == ("nearest", ["board"])
    doors.taste.away = True
    body = (await http.get("/v1/search", params={"q": "spaceship"})).json()
    assert (body["match"], body["items"]) == ("none", [])


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("search", {}, "q"),
        ("search", {"q": ""}, "q"),
        ("search", {"q": "x" * 201}, "q"),
        ("search", {"q": "a\x00"}, "q"),
        ("search", {"q": "a", "n": "101"}, "n"),
        ("search", {"q": "a", "n": "many"}, "n"),
        ("search", {"q": "a", "colour": "red"}, "colour"),
        ("search", {"q": "a", "sort": "random"}, "sort"),
        ("search", {"q": "a", "user_id": "ann", "sort": "price"}, "user_id"),
        ("search", {"q": "a", "cursor": "foreign"}, "cursor"),
        ("search", {"q": "a", "filter": "{"}, "filter"),
        ("search", {"q": "a", "filter": "[" * 19_000}, "filter"),
        ("search", {"q": "a", "filter": '{"all": [' * 900 + "]}" * 900}, "filter"),
        ("search", {"q": "a", "filter": '{"colour": {"one_of": ["red"]}}'}, "filter.colour"),
        ("search", {"q": "a", "filter": '{"price": {"lte": "x"}}'}, "filter.price.currency"),
        ("items", {"sort": "relevance"}, "sort"),
        ("items", {"category": "A > > B"}, "category"),
        ("items", {"filter": '{"tag": {"one_of": []}}'}, "filter.tag.one_of"),
        ("suggest", {"q": ""}, "q"),
        ("suggest", {"q": "a", "n": "0"}, "n"),
        ("categories", {"under": ">"}, "under"),
    ],
)
async def test_what_cannot_be_asked_is_named(
    http: httpx.AsyncClient, path: str, params: dict[str, str], field: str
) -> None:
    answer = await http.get(f"/v1/{path}", params=params, headers=READER_KEY)
    assert answer.status_code == 400, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (api.FindItemsRequest(query="x" * 201), "query"),
        (api.FindItemsRequest(n=0), "n"),
        (api.FindItemsRequest(filter=filter_pb2.Filter()), "filter"),
        (api.FindItemsRequest(sort=99), "sort"),  # type: ignore[arg-type]  # as a newer client may
        (api.FindItemsRequest(sort=search_pb2.SORT_RELEVANCE), "sort"),
        (api.FindItemsRequest(user_id="ann"), "q"),
    ],
)
async def test_grpc_names_the_field_too(
    stub: catalogue_pb2_grpc.CatalogueServiceAsyncStub, request_: api.FindItemsRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.FindItems(request_)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert f"{field}: " in str(caught.value.details())


async def test_both_doors_tell_categories_suggestions_and_unanswered_searches(
    http: httpx.AsyncClient, stub: catalogue_pb2_grpc.CatalogueServiceAsyncStub
) -> None:
    body = (await http.get("/v1/categories", params={"under": "Home>Kitchen"})).json()
    listed = await stub.ListCategories(api.ListCategoriesRequest(under="Home>Kitchen"))
    assert body == {"categories": [{"path": "Home > Kitchen", "items": 2}]}
    assert [(one.path, one.items) for one in listed.categories] == [("Home > Kitchen", 2)]

    body = (await http.get("/v1/suggest", params={"q": "kn"})).json()
    suggested = await stub.SuggestItems(api.SuggestItemsRequest(query="kn"))
    assert body == {"suggestions": [{"item_id": "knife", "title": "knife"}]}
    assert suggested.suggestions[0].title == "knife"

    assert (await http.get("/v1/search/unanswered", headers=READER_KEY)).status_code == 403
    body = (await http.get("/v1/search/unanswered", headers=CATALOGUE_KEY)).json()
    unanswered = await stub.ListUnansweredSearches(
        api.ListUnansweredSearchesRequest(), metadata=metadata(CATALOGUE_KEY)
    )
    assert body == {"searches": [{"query": "spaceship", "times": 3}]}
    assert unanswered.searches[0].times == 3


async def test_both_doors_store_a_file_and_report_its_broken_lines(
    doors: Doors, http: httpx.AsyncClient, stub: catalogue_pb2_grpc.CatalogueServiceAsyncStub
) -> None:
    file = b"item_id,title\nn-1,<script>alert(1)</script>\nn-2\n"
    answer = await http.post(
        "/v1/items/upload", content=file, headers={**CATALOGUE_KEY, "content-type": "text/csv"}
    )
    assert answer.status_code == httpx.codes.OK, answer.text
    assert (answer.json()["stored"], answer.json()["refused"]) == (1, 1)
    assert doors.world.catalogue.items["n-1"].item.title == "<script>alert(1)</script>"

    async def pieces() -> AsyncIterator[api.UploadItemsRequest]:
        yield api.UploadItemsRequest(format=api.UPLOAD_FORMAT_CSV, chunk=file[:20])
        yield api.UploadItemsRequest(chunk=file[20:])

    report = await stub.UploadItems(pieces(), metadata=metadata(CATALOGUE_KEY))
    assert (report.stored, report.refused) == (1, 1)
    assert [(one.line, one.reason) for one in report.lines] == [
        (3, "has 1 cells, the header has 2")
    ]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/csv"}, 401),
        ({"content-type": "text/csv", **READER_KEY}, 403),
        ({"content-type": "application/json", **CATALOGUE_KEY}, 415),
        ({"content-type": "text/csv", "content-encoding": "gzip", **CATALOGUE_KEY}, 415),
        ({"content-type": "text/csv", **CATALOGUE_KEY}, 400),
    ],
)
async def test_an_upload_that_cannot_be_read_is_refused(
    http: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    answer = await http.post("/v1/items/upload", content=b"name\nx\n", headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


CSV = api.UPLOAD_FORMAT_CSV


@pytest.mark.parametrize(
    ("headers", "first", "code", "told"),
    [
        ({}, api.UploadItemsRequest(format=CSV), grpc.StatusCode.UNAUTHENTICATED, "key"),
        (READER_KEY, api.UploadItemsRequest(format=CSV), grpc.StatusCode.PERMISSION_DENIED, ""),
        (
            CATALOGUE_KEY,
            api.UploadItemsRequest(chunk=b"item_id,title\n"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "format: ",
        ),
        (
            CATALOGUE_KEY,
            api.UploadItemsRequest(format=CSV, chunk=b"name\nx\n"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "header: ",
        ),
    ],
)
async def test_an_upload_over_grpc_is_refused_with_the_reason(
    stub: catalogue_pb2_grpc.CatalogueServiceAsyncStub,
    headers: dict[str, str],
    first: api.UploadItemsRequest,
    code: grpc.StatusCode,
    told: str,
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.UploadItems(iter([first]), metadata=metadata(headers))
    assert caught.value.code() is code
    assert told in str(caught.value.details())


async def test_pieces_of_an_upload_that_are_no_messages_are_the_caller_s_fault(
    doors: Doors,
) -> None:
    async with doors.address() as address, grpc.aio.insecure_channel(address) as channel:
        send: Any = channel.stream_unary(f"/{CATALOGUE}/UploadItems")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await send(iter([b"\xff\xff\xff"]), metadata=metadata(CATALOGUE_KEY))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "request: is no message of this method" in str(caught.value.details())


def test_taste_cannot_lift_what_the_words_hardly_match() -> None:
    items = [FoundItem(KNIFE, 1.0), FoundItem(BOARD, 0.1)]
    order = [one.item.item_id for one in blended(items, {"knife": 0.5, "board": 0.9})]
    assert order == ["knife", "board"]
    unknown = [replace(items[0], item=KNIFE), replace(items[1], score=0.9)]
    assert [one.item.item_id for one in blended(unknown, {"board": 0.9})] == ["board", "knife"]


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
async def test_the_python_client_finds_suggests_and_uploads(doors: Doors, kind: str) -> None:
    file = io.BytesIO(b"item_id,title\nn-1,New\nn-2\n")
    async with doors.address() as address:
        if kind == "blocking":

            def use() -> tuple[FoundItems, list[Suggestion], dict[str, int], UploadReport]:
                with Catalogue(address, api_key="admin-key-0123456789") as catalogue:
                    return (
                        catalogue.find("knife", n=1, facets=True, user_id="ann"),
                        catalogue.suggest("kn"),
                        catalogue.categories("Home"),
                        catalogue.upload(file),
                    )

            found, suggested, categories, report = await asyncio.to_thread(use)
        else:
            async with AsyncCatalogue(address, api_key="admin-key-0123456789") as catalogue:
                found = await catalogue.find("knife", n=1, facets=True, user_id="ann")
                suggested = await catalogue.suggest("kn")
                categories = await catalogue.categories("Home")
                report = await catalogue.upload(file)
    assert [one.item.item_id for one in found.items] == ["board"]
    assert (found.match, found.personal, found.total) == ("all_words", True, 2)
    assert found.facets is not None
    assert found.facets.categories == {"Home": 2}
    assert suggested == [Suggestion("knife", "knife")]
    assert categories == {"Home": 2, "Home > Kitchen": 2}
    assert (report.stored, [one.line for one in report.lines]) == (1, [3])


def test_the_client_refuses_what_no_message_can_carry() -> None:
    with Catalogue("127.0.0.1:1") as catalogue:
        with pytest.raises(InvalidInput, match="sort: "):
            catalogue.find(sort="random")  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="n: "):
            catalogue.find(n=-1)
