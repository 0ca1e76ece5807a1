"""Accounts and keys over gRPC: both clients, and the command, do what the HTTP door does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from headrace.cli import main
from headrace.client import AsyncHeadrace
from headrace.client.accounts import Accounts
from headrace.client.async_accounts import AsyncAccounts
from headrace.errors import (
    InvalidInput,
    NotFound,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
)
from tests.integration.gateway.account_world import PASSWORD, MailBox, Replica, grpc_address

ADMIN = "admin-key-0123456789"
ANN = "ann@example.com"

Do = Callable[..., Awaitable[Any]]
"""Calls a method of the client by name."""


@pytest.fixture
async def address(replica: Replica) -> AsyncIterator[str]:
    async with replica.running(), grpc_address(replica) as address:
        yield address


@pytest.fixture(params=["blocking", "asyncio"])
async def do(request: pytest.FixtureRequest, address: str) -> AsyncIterator[Do]:
    if request.param == "asyncio":
        async with AsyncAccounts(address, api_key=ADMIN) as client:
            yield lambda method, *given, **named: getattr(client, method)(*given, **named)
        return
    with Accounts(address, api_key=ADMIN) as blocking:
        # The door answers on this event loop, so the blocking client waits in a thread.
        yield lambda method, *given, **named: asyncio.to_thread(
            getattr(blocking, method), *given, **named
        )


async def test_a_person_registers_comes_in_and_acts(do: Do, address: str, mails: MailBox) -> None:
    visit = await do("begin_visit")
    assert (await do("begin_visit", visit.token)).visitor_id == visit.visitor_id
    await do("register", ANN, PASSWORD, "Ann")
    session = await do("confirm", await mails.token(1, ANN), PASSWORD, visit.token)
    assert (session.role, session.visit_claimed) == ("shopper", True)
    account = await do("set_profile", session.access_token, name="Ann", interests=["Drama"])
    assert await do("own_account", session.access_token) == account
    assert (account.email, account.interests, account.age_band) == (ANN, ("Drama",), None)
    async with AsyncHeadrace(address, api_key=session.access_token) as headrace:
        assert (await headrace.recommend(session.user_id, n=3)).items
        with pytest.raises(PermissionDenied, match="alone"):
            await headrace.recommend("259")
        assert await headrace.record_event(session.user_id, "1")
        with pytest.raises(PermissionDenied):
            await headrace.record_event("259", "1")


async def test_a_person_stays_in_and_goes(do: Do, mails: MailBox) -> None:
    await do("register", ANN, PASSWORD)
    first = await do("confirm", await mails.token(1, ANN), PASSWORD)
    second = await do("refresh", first.refresh_token)
    assert second.user_id == first.user_id
    with pytest.raises(InvalidInput, match="present"):
        await do("change_password", second.access_token, "another", "a newer password")
    third = await do("change_password", second.access_token, PASSWORD, "a newer password")
    await do("log_out", third.refresh_token)
    with pytest.raises(Unauthenticated):
        await do("own_account", third.access_token)
    await do("recover_password", ANN)
    await do("reset_password", await mails.token(3, ANN), PASSWORD)
    assert (await do("log_in", ANN, PASSWORD)).user_id == first.user_id
    with pytest.raises(Unauthenticated):
        await do("refresh", first.refresh_token)


async def test_wrong_input_is_named(do: Do) -> None:
    with pytest.raises(InvalidInput, match="password"):
        await do("register", ANN, "short")
    with pytest.raises(InvalidInput, match="role"):
        await do("set_role", ANN, "king")
    with pytest.raises(InvalidInput, match="scopes"):
        await do("create_key", "shop", [])
    with pytest.raises(NotFound):
        await do("set_role", ANN, "operator")
    with pytest.raises(NotFound):
        await do("revoke_key", "none")
    with pytest.raises(InvalidInput):
        await do("revoke_key", "a\0b")


async def test_guessing_is_limited_here_too(do: Do) -> None:
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await do("log_in", ANN, "a wrong guess")
    with pytest.raises(RateLimited, match="try again in"):
        await do("log_in", ANN, "a wrong guess")


async def test_keys_are_made_listed_and_revoked(do: Do, address: str) -> None:
    made = await do("create_key", "shop", ["read"])
    (listed,) = await do("list_keys")
    assert (listed.key_id, listed.scopes, listed.key) == (made.key_id, ("read",), None)
    async with AsyncHeadrace(address, api_key=made.key) as headrace:
        assert (await headrace.recommend("259", n=1)).items
        assert (await do("revoke_key", made.key_id)).revoked_at is not None
        with pytest.raises(Unauthenticated):
            await headrace.recommend("259", n=1)
    async with AsyncAccounts(address, api_key="events-key-0123456789") as other:
        with pytest.raises(PermissionDenied):
            await other.list_keys()


async def test_the_command_makes_lists_and_revokes_keys(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(*arguments: str) -> str:
        assert await asyncio.to_thread(main, ["keys", "--address", address, *arguments]) == 0
        return capsys.readouterr().out

    monkeypatch.setenv("HEADRACE_API_KEY", ADMIN)
    key = (await run("create", "shop backend", "events", "read")).strip()
    listed = await run("list")
    assert "events+read" in listed
    assert "never used" in listed
    assert key not in listed
    assert "revoked" in await run("revoke", listed.split()[0])


def test_the_command_says_that_it_needs_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HEADRACE_API_KEY", raising=False)
    assert main(["keys", "list"]) == 2
    assert "HEADRACE_API_KEY" in capsys.readouterr().err
