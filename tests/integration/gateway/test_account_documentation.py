"""Accounts and keys in /openapi.json and /docs."""

from typing import Any

import httpx
import pytest

PUBLIC = {
    "register", "confirm_account", "log_in", "refresh", "log_out", "recover_password",
    "reset_password", "begin_visit",
}  # fmt: skip
OWN = {"own_account", "set_profile", "change_password"}
ADMIN = {"create_key", "list_keys", "revoke_key", "set_role"}


@pytest.fixture
async def operations(http: httpx.AsyncClient) -> dict[str, Any]:
    document = (await http.get("/openapi.json")).json()
    return {
        one["operationId"]: one
        for path in document["paths"].values()
        for one in path.values()
        if {"accounts", "keys"} & set(one["tags"])
    }


def test_every_operation_says_who_may_call_it(operations: dict[str, Any]) -> None:
    assert operations.keys() == PUBLIC | OWN | ADMIN
    for name, one in operations.items():
        security = one.get("security")
        if name in PUBLIC:
            assert security is None
            continue
        assert security == ([{"accessToken": []}] if name in OWN else [{"apiKey": ["admin"]}])
        assert {"401", "403"} <= set(one["responses"])


def test_what_is_limited_says_so(operations: dict[str, Any]) -> None:
    unlimited = {"refresh", "log_out", "own_account", "set_profile"} | ADMIN
    limited = {name for name, one in operations.items() if "429" in one["responses"]}
    assert limited == operations.keys() - unlimited


async def test_the_page_tells_which_header_to_send(http: httpx.AsyncClient) -> None:
    page = (await http.get("/docs")).text
    own = page.partition('<section id="own_account">')[2].partition("</section>")[0]
    assert "access token of an account" in own
    assert "Bearer $ACCESS_TOKEN" in own
