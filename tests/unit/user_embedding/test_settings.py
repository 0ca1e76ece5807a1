"""What the variables may say."""

import pytest

from headrace.contracts.events import EventType
from headrace.errors import SettingsInvalid
from headrace.runtime.settings import load_settings
from services.user_embedding.settings import UserEmbeddingSettings

REQUIRED = {
    "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "localhost:9092",
    "HEADRACE_DATABASE_URL": "postgresql://localhost/x",
    "HEADRACE_BUNDLE_URL": "bundle",
}


def test_a_view_does_not_hide_the_product_by_default() -> None:
    seen = load_settings(UserEmbeddingSettings, REQUIRED).seen_types
    assert seen == {EventType.PURCHASE, EventType.LIKE, EventType.DISLIKE, EventType.RATING}


def test_the_types_that_make_an_item_seen_can_be_chosen() -> None:
    environ = {**REQUIRED, "HEADRACE_SEEN_TYPES": "View, click"}
    seen = load_settings(UserEmbeddingSettings, environ).seen_types
    assert seen == {EventType.VIEW, EventType.CLICK}


def test_an_unknown_type_is_named_with_the_right_ones() -> None:
    environ = {**REQUIRED, "HEADRACE_SEEN_TYPES": "view,glance"}
    with pytest.raises(SettingsInvalid, match=r"HEADRACE_SEEN_TYPES=.*'glance'.*purchase"):
        load_settings(UserEmbeddingSettings, environ)


def test_an_address_without_port_is_refused() -> None:
    environ = {**REQUIRED, "HEADRACE_ITEM_EMBEDDING_ADDRESS": "items"}
    with pytest.raises(SettingsInvalid, match="HEADRACE_ITEM_EMBEDDING_ADDRESS"):
        load_settings(UserEmbeddingSettings, environ)
