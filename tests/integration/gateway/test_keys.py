"""Keys made over the API: shown once, hashed, scoped, revocable, on every gateway."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import psycopg2
import pytest

from tests.integration.gateway.account_world import Replica
from tests.unit.gateway.doors import ADMIN_KEY, CATALOGUE_KEY, READER_KEY

LIST = "/v1/users/259/recommendations"


async def _make(http: httpx.AsyncClient, *scopes: str, name: str = "shop") -> dict[str, Any]:
    body = {"name": name, "scopes": list(scopes)}
    answer = await http.post("/v1/keys", json=body, headers=ADMIN_KEY)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


def _bearer(made: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {made['key']}"}


async def test_a_new_key_works_at_once_within_its_scopes(http: httpx.AsyncClient) -> None:
    made = await _make(http, "read")
    assert (await http.get(LIST, headers=_bearer(made))).status_code == 200
    refused = await http.post("/v1/keys", json={}, headers=_bearer(made))
    assert refused.status_code == 403


async def test_a_key_is_shown_once_and_kept_as_a_hash(http: httpx.AsyncClient, people: str) -> None:
    made = await _make(http, "read", "events", name="<b>'; DROP TABLE api_keys; --")
    (listed,) = (await http.get("/v1/keys", headers=ADMIN_KEY)).json()["keys"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert listed["created_by"] == "settings"
    with psycopg2.connect(people) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT api_keys::text FROM api_keys")
        (row,) = cursor.fetchall()
    assert made["key"] not in row[0]
    assert made["key"].removeprefix("hr_").encode().hex() not in row[0]


async def test_a_revoked_key_is_refused_here_at_once_and_elsewhere_with_the_next_round(
    http: httpx.AsyncClient, replica: Replica, people: str
) -> None:
    other = Replica(people, "")
    made = await _make(http, "read")
    async with other.running() as elsewhere:
        other.feed.round()
        assert (await elsewhere.get(LIST, headers=_bearer(made))).status_code == 200
        revoked = await http.delete(f"/v1/keys/{made['key_id']}", headers=ADMIN_KEY)
        assert revoked.json()["revoked_at"] is not None
        assert (await http.get(LIST, headers=_bearer(made))).status_code == 401
        other.feed.round()
        assert (await elsewhere.get(LIST, headers=_bearer(made))).status_code == 401
    again = await http.delete(f"/v1/keys/{made['key_id']}", headers=ADMIN_KEY)
    assert again.json()["revoked_at"] == revoked.json()["revoked_at"]
    other.database.close()


async def test_use_is_noted_to_the_minute(http: httpx.AsyncClient, replica: Replica) -> None:
    made = await _make(http, "read")
    assert made["last_used_at"] is None
    await http.get(LIST, headers=_bearer(made))
    await asyncio.to_thread(replica.feed.round)
    (listed,) = (await http.get("/v1/keys", headers=ADMIN_KEY)).json()["keys"]
    assert listed["last_used_at"].endswith(":00Z")


@pytest.mark.parametrize("headers", [{}, READER_KEY, CATALOGUE_KEY])
@pytest.mark.parametrize(
    "ask",
    [
        lambda http, headers: http.post(
            "/v1/keys", json={"name": "n", "scopes": ["admin"]}, headers=headers
        ),
        lambda http, headers: http.get("/v1/keys", headers=headers),
        lambda http, headers: http.delete("/v1/keys/any", headers=headers),
    ],
)
async def test_only_an_administrator_handles_keys(
    http: httpx.AsyncClient, headers: dict[str, str], ask: Callable[..., Any]
) -> None:
    assert (await ask(http, headers)).status_code == (403 if headers else 401)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "n", "scopes": []}, "scopes"),
        ({"name": "n", "scopes": ["read", "read"]}, "scopes"),
        ({"name": "n", "scopes": ["everything"]}, "scopes[0]"),
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "a\u0000b", "scopes": ["read"]}, "name"),
        ({"scopes": ["read"]}, "name"),
    ],
)
async def test_a_wrong_wish_for_a_key_is_named(
    http: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await http.post("/v1/keys", json=body, headers=ADMIN_KEY)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_unknown_key_cannot_be_revoked(http: httpx.AsyncClient) -> None:
    assert (await http.delete("/v1/keys/none", headers=ADMIN_KEY)).status_code == 404
