"""Pages of other origins call the gateway where the settings name them, and only there."""

import httpx
import pytest

from headrace.errors import SettingsInvalid
from headrace.runtime.readiness import Readiness
from headrace.runtime.settings import load_settings
from services.gateway.http import BodyLimits, build_app
from services.gateway.settings import GatewaySettings
from tests.unit.gateway.memory import ACCESS, World

SHOP = "https://shop.example"
ENVIRONMENT = {
    "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "HEADRACE_RANKER_ADDRESS": "127.0.0.1:1",
    "HEADRACE_ITEM_EMBEDDING_ADDRESS": "127.0.0.1:1",
    "HEADRACE_API_KEYS": "a-key-0123456789abc:read",
    "HEADRACE_TOKEN_KEYS": "k1:a-secret-of-32-characters-or-more",
    "HEADRACE_DATABASE_URL": "postgresql://p/headrace",
}


async def preflight(world: World, origin: str) -> httpx.Response:
    app = build_app(
        world.gateway, ACCESS, Readiness(), BodyLimits(1_000, 1_000), cors_origins=[SHOP]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.options(
            "/v1/events",
            headers={
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,content-type",
            },
        )


async def test_a_page_of_a_named_origin_may_call(world: World) -> None:
    answer = await preflight(world, SHOP)
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["access-control-allow-origin"] == SHOP


async def test_a_page_of_another_origin_may_not(world: World) -> None:
    answer = await preflight(world, "https://elsewhere.example")
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "access-control-allow-origin" not in answer.headers


def test_origins_are_read_from_a_list() -> None:
    given = {**ENVIRONMENT, "HEADRACE_CORS_ORIGINS": f"{SHOP},http://localhost:3000"}
    assert load_settings(GatewaySettings, given).allowed_origins == (SHOP, "http://localhost:3000")
    assert load_settings(GatewaySettings, ENVIRONMENT).allowed_origins == ()


@pytest.mark.parametrize("wrong", ["shop.example", f"{SHOP}/page", f"{SHOP}, {SHOP}"])
def test_what_is_no_origin_is_refused_at_start(wrong: str) -> None:
    with pytest.raises(SettingsInvalid, match="HEADRACE_CORS_ORIGINS"):
        load_settings(GatewaySettings, {**ENVIRONMENT, "HEADRACE_CORS_ORIGINS": wrong})
