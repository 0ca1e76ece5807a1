"""Opting out of personal lists and in again, on a real Postgres, at every door and replica."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from headrace.client import AsyncHeadrace, AsyncPrivacy, Privacy
from headrace.errors import InvalidInput, PermissionDenied
from tests.integration.gateway.account_world import Person, Replica, grpc_address
from tests.unit.gateway.doors import ADMIN_KEY, EVENTS_KEY, READER_KEY

ADMIN = "admin-key-0123456789"
PATH = "/v1/users/259/personalisation"

Do = Callable[..., Awaitable[Any]]


@pytest.fixture
async def address(replica: Replica) -> AsyncIterator[str]:
    async with replica.running(), grpc_address(replica) as address:
        yield address


@pytest.fixture(params=["blocking", "asyncio"])
async def do(request: pytest.FixtureRequest, address: str) -> AsyncIterator[Do]:
    if request.param == "asyncio":
        async with AsyncPrivacy(address, api_key=ADMIN) as client:
            yield lambda method, *given: getattr(client, method)(*given)
        return
    with Privacy(address, api_key=ADMIN) as blocking:
        yield lambda method, *given: asyncio.to_thread(getattr(blocking, method), *given)


async def test_a_choice_counts_from_the_next_list_on(do: Do, address: str) -> None:
    assert (await do("personalisation", "259")).changed_at is None
    async with AsyncHeadrace(address, api_key=ADMIN) as headrace:
        assert (await headrace.recommend("259")).personal
        said = await do("set_personalisation", "259", False)
        assert (said.user_id, said.enabled) == ("259", False)
        ranked = await headrace.recommend("259")
        assert (ranked.personal, ranked.not_personal_because) == (False, "personalisation_off")
        # The same once more is no change.
        assert await do("set_personalisation", "259", False) == said
        assert await do("personalisation", "259") == said
        await do("set_personalisation", "259", True)
        assert (await headrace.recommend("259")).personal


async def test_an_id_that_cannot_be_is_refused(do: Do) -> None:
    with pytest.raises(InvalidInput, match="user_id"):
        await do("set_personalisation", "", False)


async def test_every_replica_hears_of_it(replica: Replica, people: str) -> None:
    other = Replica(people, "")
    try:
        async with replica.running(), other.running():
            for choices in (replica.choices, other.choices):
                choices.round()
            await replica.privacy.set_personalisation("259", False)
            other.choices.round()
            assert other.world.choices.why_not("259") == "personalisation_off"
            await other.privacy.set_personalisation("259", True)
            replica.choices.round()
            assert replica.world.choices.why_not("259") is None
    finally:
        other.database.close()


async def test_a_person_decides_for_themselves_alone(http: httpx.AsyncClient, ann: Person) -> None:
    own = f"/v1/users/{ann.session['user_id']}/personalisation"
    off = {"enabled": False}
    assert (await http.put(own, json=off, headers=ann.bearer)).json()["enabled"] is False
    assert (await http.get(own, headers=ann.bearer)).json()["enabled"] is False
    for method, key in (("PUT", ann.bearer), ("PUT", READER_KEY), ("GET", EVENTS_KEY)):
        answer = await http.request(method, PATH, json=off, headers=key)
        assert answer.status_code == 403, answer.text
    assert (await http.put(PATH, json=off)).status_code == 401
    assert (await http.put(PATH, json=off, headers=ADMIN_KEY)).status_code == 200
    assert (await http.get(PATH, headers=READER_KEY)).json()["enabled"] is False


async def test_what_is_no_choice_is_refused(http: httpx.AsyncClient) -> None:
    for body in ({}, {"enabled": "no"}, {"enabled": False, "why": "because"}):
        answer = await http.put(PATH, json=body, headers=ADMIN_KEY)
        assert answer.status_code == 400, answer.text


async def test_a_visit_may_opt_out_too(http: httpx.AsyncClient) -> None:
    visit = (await http.post("/v1/visits", json={})).json()
    bearer = {"authorization": f"Bearer {visit['visit_token']}"}
    path = f"/v1/users/{visit['visitor_id']}/personalisation"
    assert (await http.put(path, json={"enabled": False}, headers=bearer)).status_code == 200


async def test_a_readers_key_decides_nothing(address: str) -> None:
    async with AsyncPrivacy(address, api_key="reader-key-0123456789") as client:
        with pytest.raises(PermissionDenied, match="admin"):
            await client.set_personalisation("259", False)
        assert (await client.personalisation("259")).enabled
