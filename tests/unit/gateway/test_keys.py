"""Keys of the settings are checked at start, and never shown."""

import pytest

from headrace.errors import SettingsInvalid
from headrace.runtime.settings import load_settings
from services.gateway.settings import GatewaySettings


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
        "HEADRACE_TOKEN_KEYS": "k1:a-secret-of-32-characters-or-more",
        "HEADRACE_DATABASE_URL": "postgresql://p/headrace",
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
        "HEADRACE_TOKEN_KEYS": "k1:a-secret-of-32-characters-or-more",
        "HEADRACE_DATABASE_URL": "postgresql://p/headrace",
        "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "k:9092",
        "HEADRACE_RANKER_ADDRESS": "r:1",
        "HEADRACE_ITEM_EMBEDDING_ADDRESS": "i:1",
    }
    assert "long-enough" not in repr(load_settings(GatewaySettings, environ))
