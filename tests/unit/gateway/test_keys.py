"""Who may do what."""

import pytest

from headrace.errors import PermissionDenied, SettingsInvalid, Unauthenticated
from headrace.runtime.settings import load_settings
from services.gateway.keys import ApiKeys, Scope
from services.gateway.settings import GatewaySettings

KEYS = ApiKeys.parse("first-key-0123456789:events+read,\nsecond:key-0123456789:admin")


def test_a_key_allows_its_scopes_and_no_other() -> None:
    KEYS.require("Bearer first-key-0123456789", Scope.EVENTS)
    KEYS.require("bearer first-key-0123456789", Scope.READ)
    with pytest.raises(PermissionDenied, match="`catalogue`"):
        KEYS.require("Bearer first-key-0123456789", Scope.CATALOGUE)


def test_admin_allows_everything_and_a_key_may_hold_a_colon() -> None:
    for scope in Scope:
        KEYS.require("Bearer second:key-0123456789", scope)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer ", "Bearer unknown-key-0123456789", "Basic first-key-0123456789"]
)
def test_anything_else_is_no_key(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        KEYS.require(header, Scope.EVENTS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short:events",
        "a-key-long-enough-0123",
        "a-key-long-enough-0123:",
        "a-key-long-enough-0123:evnts",
        "a-key-long-enough-0123:read,a-key-long-enough-0123:events",
    ],
)
def test_a_wrong_list_of_keys_is_refused_at_start_without_printing_keys(text: str) -> None:
    environ = {
        "HEADRACE_API_KEYS": text,
        "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "k:9092",
        "HEADRACE_RANKER_ADDRESS": "r:1",
        "HEADRACE_ITEM_EMBEDDING_ADDRESS": "i:1",
    }
    with pytest.raises(SettingsInvalid, match="HEADRACE_API_KEYS") as refused:
        load_settings(GatewaySettings, environ)
    assert "long-enough" not in str(refused.value)
    assert "short" not in str(refused.value)


def test_settings_do_not_show_keys() -> None:
    environ = {
        "HEADRACE_API_KEYS": "a-key-long-enough-0123:read",
        "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "k:9092",
        "HEADRACE_RANKER_ADDRESS": "r:1",
        "HEADRACE_ITEM_EMBEDDING_ADDRESS": "i:1",
    }
    assert "long-enough" not in repr(load_settings(GatewaySettings, environ))
