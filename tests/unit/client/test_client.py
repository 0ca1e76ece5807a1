"""The client over a real gRPC door: blocking and asyncio do the same."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from headrace.client import AsyncHeadrace, Event, Headrace, Item
from headrace.contracts.filters import Condition, NumberRange, OneTag
from headrace.errors import InvalidInput, NotFound, PermissionDenied, Unauthenticated, Unavailable
from headrace.local.ports import free_ports
from headrace.runtime.readiness import Readiness
from tests.unit.gateway.doors import grpc_door
from tests.unit.gateway.memory import AS_OF, World

KEY = "admin-key-0123456789"

Do = Callable[..., Awaitable[Any]]
"""Calls a method of the client by name."""


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def address(world: World) -> AsyncIterator[str]:
    async with grpc_door(world, Readiness()) as address:
        yield address


@pytest.fixture(params=["blocking", "asyncio"])
async def do(request: pytest.FixtureRequest, address: str) -> AsyncIterator[Do]:
    if request.param == "asyncio":
        async with AsyncHeadrace(address, api_key=KEY) as client:
            yield lambda method, *given, **named: getattr(client, method)(*given, **named)
        return
    with Headrace(address, api_key=KEY) as blocking:
        # The door answers on this event loop, so the blocking client waits in a thread.
        yield lambda method, *given, **named: asyncio.to_thread(
            getattr(blocking, method), *given, **named
        )


async def test_an_event_is_recorded_under_an_id_made_by_the_client(do: Do, world: World) -> None:
    event_id = await do("record_event", "259", "1", "rating", value=4, occurred_at=AS_OF)
    (kept,) = world.event_log.events
    assert (kept.event_id, kept.event.event_id) == (event_id, event_id)
    assert (kept.event.user_id, kept.event.item_id, kept.event.type) == ("259", "1", "rating")
    assert (kept.event.value, kept.event.occurred_at) == (4, AS_OF)


async def test_an_event_sent_again_keeps_its_id(do: Do, world: World) -> None:
    events = [Event("259", "1", "click"), Event("259", "2", "view", event_id="mine")]
    world.event_log.away = True
    with pytest.raises(Unavailable, match="same event_ids"):
        await do("record", events)
    world.event_log.away = False
    assert await do("record", events) == [events[0].event_id, "mine"]
    assert [one.event_id for one in world.event_log.events] == [events[0].event_id, "mine"]


async def test_a_list_of_a_person(do: Do) -> None:
    ranked = await do("recommend", "259", n=2, after="e1", exclude=["6"])
    assert [item.item_id for item in ranked.items] == ["5", "4"]
    assert ranked.items[0].categories == ("Action",)
    assert (ranked.items[0].source, ranked.after) == ("retrieval", "applied")
    assert (ranked.as_of, ranked.degraded, ranked.model_version) == (AS_OF, None, "m1")


async def test_a_list_of_a_visit_has_no_event_to_tell_of(do: Do) -> None:
    ranked = await do("recommend", session=["1"], category="Action")
    assert [item.item_id for item in ranked.items] == ["3", "5"]
    assert ranked.after is None


async def test_a_degraded_list_says_why(do: Do, world: World) -> None:
    world.ranker.degraded = "user_embedding_unavailable"
    assert (await do("recommend", "259")).degraded == "user_embedding_unavailable"


async def test_similar_items(do: Do) -> None:
    assert [item.item_id for item in (await do("similar", "1", 2)).items] == ["2", "3"]
    for_somebody = await do("similar", "1", 2, None, "259")
    assert [item.item_id for item in for_somebody.items] == ["6", "5"]


async def test_an_item_is_stored_read_and_hidden(do: Do) -> None:
    item = Item("9", "Nine", categories=("Drama",), attributes={"year": 1999.0})
    assert await do("upsert_items", [item]) == [1]
    found = await do("item", "9")
    assert (found.title, found.attributes, found.revision) == ("Nine", {"year": 1999.0}, 1)
    assert await do("delete_item", "9") == 2
    with pytest.raises(NotFound):
        await do("item", "9")


async def test_bad_input_names_the_field(do: Do) -> None:
    with pytest.raises(InvalidInput) as refused:
        await do("record", [Event("u", "1", "rating", value=9), Event("", "1", "click")])
    fields = [violation.field for violation in refused.value.violations]
    assert fields == ["events[0].value", "events[1].user_id"]
    with pytest.raises(InvalidInput, match=r"n: "):
        await do("recommend", n=0)


async def test_what_cannot_be_sent_is_refused_before(do: Do, world: World) -> None:
    with pytest.raises(InvalidInput, match=r"type: must be one of view, click"):
        await do("record_event", "259", "1", "klick")
    naive = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(InvalidInput, match="time zone"):
        await do("record_event", "259", "1", occurred_at=naive)
    for n in (-1, 2**32):
        with pytest.raises(InvalidInput, match=r"n: must be 1 to 200"):
            await do("recommend", n=n)
        with pytest.raises(InvalidInput, match=r"n: must be 1 to 200"):
            await do("similar", "1", n)
    assert not world.event_log.events


async def test_keys_are_needed_for_what_is_not_public(address: str) -> None:
    async with AsyncHeadrace(address) as client:
        assert (await client.recommend()).items
        with pytest.raises(Unauthenticated):
            await client.recommend("259")
    async with AsyncHeadrace(address, api_key="events-key-0123456789") as client:
        with pytest.raises(PermissionDenied, match="`read`"):
            await client.recommend("259")


async def test_a_gateway_that_is_away_is_unavailable() -> None:
    async with AsyncHeadrace("127.0.0.1:1", timeout_s=0.5) as client:
        with pytest.raises(Unavailable):
            await client.recommend()


async def test_a_call_bridges_a_restart_of_the_gateway(world: World) -> None:
    (port,) = free_ports(1)
    async with AsyncHeadrace(f"127.0.0.1:{port}", timeout_s=20) as client:
        call = asyncio.create_task(client.recommend())
        # The client finds nobody listening before the gateway is there.
        await asyncio.wait([call], timeout=0.3)
        assert not call.done()
        async with grpc_door(world, Readiness(), port):
            assert (await call).items


async def test_the_options_of_a_list_come_through(do: Do, world: World) -> None:
    new = {"tag": {"one_of": ["new"]}}
    await do(
        "recommend",
        filter={"all": [new, {"number": {"name": "year", "gte": 2020}}]},
        include_seen=True,
        boost=[{"filter": new, "factor": 2.0}],
        pin=[{"item_id": "3", "position": 2}],
        max_per_category=4,
        diversity=0.25,
        cursor="",
        explore=0.1,
    )
    (asked,) = world.ranker.asked
    year = NumberRange(name="year", gte=2020)
    assert asked.filter == Condition(
        all=(Condition(tag=OneTag(one_of=("new",))), Condition(number=year))
    )
    assert asked.include_seen
    assert asked.boost[0].factor == 2
    assert asked.boost[0].filter == Condition(tag=OneTag(one_of=("new",)))
    assert (asked.pin[0].item_id, asked.pin[0].position) == ("3", 2)
    assert (asked.max_per_category, asked.diversity, asked.explore) == (4, 0.25, 0.1)
    assert asked.cursor == ""


async def test_pages_follow_each_other(do: Do) -> None:
    first = await do("recommend", n=2, cursor="")
    assert first.next_cursor is not None
    second = await do("recommend", n=2, cursor=first.next_cursor)
    assert not {one.item_id for one in first.items} & {one.item_id for one in second.items}
    assert (await do("recommend", n=2)).next_cursor is None


@pytest.mark.parametrize("options", [{"filter": {"colour": 1}}, {"pin": [{"item": "x"}]}])
async def test_options_that_no_message_can_carry_are_refused(do: Do, options: Any) -> None:
    with pytest.raises(InvalidInput, match="cannot be sent"):
        await do("recommend", **options)


async def test_kinds_of_lists(do: Do, world: World) -> None:
    await do("recommend", kind="similar", items=["1", "2"])
    await do("recommend", kind="trending", window="day")
    similar, trending = world.ranker.asked
    assert (similar.kind, similar.items) == ("similar", ("1", "2"))
    assert (trending.kind, trending.window) == ("trending", "day")
    with pytest.raises(InvalidInput, match="kind"):
        await do("recommend", kind="best")


async def test_people_whose_taste_is_near(do: Do) -> None:
    assert [one.user_id for one in await do("similar_users", "259", 2)] == [
        "like 259 0",
        "like 259 1",
    ]
    with pytest.raises(NotFound):
        await do("similar_users", "nobody")


async def test_a_list_says_why(do: Do) -> None:
    (one,) = (await do("recommend", "259", n=1, explain=True)).items
    assert one.explanation is not None
    assert one.explanation.history == 1.25
    assert [cause.title for cause in one.explanation.because] == ["Film 9"]
    (plain,) = (await do("recommend", "259", n=1)).items
    assert plain.explanation is None


async def test_what_is_not_wanted_is_said_of_an_item_or_of_a_category(do: Do, world: World) -> None:
    said = [
        await do("not_interested", "259", item_id="1"),
        await do("not_interested", "259", category="Home > Kitchen"),
    ]
    assert [one.event_id for one in world.event_log.events] == said
    assert [
        (one.event.type, one.event.item_id, one.event.category) for one in world.event_log.events
    ] == [
        ("not_interested", "1", None),
        ("not_interested", None, "Home > Kitchen"),
    ]
    with pytest.raises(InvalidInput, match="item_id"):
        await do("not_interested", "259")
