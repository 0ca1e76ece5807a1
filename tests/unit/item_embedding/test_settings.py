"""Origins that pictures may come from."""

import pytest

from headrace.errors import SettingsInvalid
from headrace.runtime.settings import load_settings
from services.item_embedding.settings import ItemEmbeddingSettings

GIVEN = {
    "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "HEADRACE_DATABASE_URL": "postgresql://postgres/headrace",
    "HEADRACE_BUNDLE_URL": "/bundle",
}


def origins(text: str) -> frozenset[str]:
    return load_settings(
        ItemEmbeddingSettings, {**GIVEN, "HEADRACE_PICTURE_ORIGINS": text}
    ).origins()


def test_none_is_allowed_unless_it_is_named() -> None:
    assert load_settings(ItemEmbeddingSettings, GIVEN).origins() == frozenset()
    assert origins("") == frozenset()
    assert origins("https://a.example, http://10.0.0.1:8080") == {
        "https://a.example",
        "http://10.0.0.1:8080",
    }


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "shop.example",
        "https://shop.example/",
        "https://u@shop.example",
        "ftp://a",
        "https://A.b",
    ],
)
def test_what_is_no_origin_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="HEADRACE_PICTURE_ORIGINS"):
        origins(text)
