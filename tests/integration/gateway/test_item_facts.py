"""On a real Postgres: what is told about an item, hidden or not, is what the tables have."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from headrace.store.database import Database
from services.gateway.console.item_store import StoredItemFacts
from services.gateway.console.live_source import ItemIds
from tests.integration.event_ingest.world import Postgres

NOW = datetime.now(UTC)


@pytest.fixture
def store(database: str) -> Iterator[Postgres]:
    store = Postgres(database)
    yield store
    store.close()


@pytest.fixture
def connections(database: str) -> Iterator[Database]:
    connections = Database(database)
    yield connections
    connections.close()


async def test_an_item_is_visible_or_it_is_told_why_not(
    store: Postgres, connections: Database
) -> None:
    before, after = NOW - timedelta(days=1), NOW + timedelta(days=1)
    windows = {
        "always": (None, None, "visible"),
        "now": (before, after, "visible"),
        "soon": (after, None, "not_yet"),
        "once": (None, before, "expired"),
        "gone": (None, None, "deleted"),
    }
    facts = StoredItemFacts(connections)
    for item_id, (publish_at, expire_at, visibility) in windows.items():
        ordinal = store.add_item(item_id, deleted=item_id == "gone")
        store.query(
            "UPDATE items SET publish_at = %s, expire_at = %s WHERE ordinal = %s",
            publish_at,
            expire_at,
            ordinal,
        )
        told = await facts.of(item_id)
        assert told is not None
        assert (told[0].visibility, told[0].title) == (visibility, "A thing"), item_id
    assert await facts.of("never") is None


async def test_windows_end_now(store: Postgres, connections: Database) -> None:
    kettle, pot = store.add_item("kettle"), store.add_item("pot")
    for ordinal, item_id in ((kettle, "kettle"), (pot, "pot")):
        for ago, n in (
            (timedelta(minutes=5), 1),
            (timedelta(hours=5), 10),
            (timedelta(days=5), 100),
        ):
            store.query("INSERT INTO item_minute_counts VALUES (%s, %s, %s)", NOW - ago, ordinal, n)
            store.query(
                "INSERT INTO item_impression_counts VALUES (%s, %s, %s)", item_id, NOW - ago, 3 * n
            )
    store.query(
        "INSERT INTO item_impression_counts VALUES ('kettle', %s, 7)", NOW - timedelta(days=8)
    )
    told = await StoredItemFacts(connections).of("kettle")
    assert told is not None
    assert [(one.window, one.impressions, one.events) for one in told[1]] == [
        ("hour", 3, 1),
        ("day", 33, 11),
        ("week", 333, 111),
    ]


def test_ids_of_items_are_asked_for_once(store: Postgres, connections: Database) -> None:
    kettle = store.add_item("kettle")
    items = ItemIds(connections)
    assert items.of([kettle, kettle + 1]) == {kettle: "kettle"}
    store.query("UPDATE items SET item_id = 'renamed'")
    assert items.of([kettle]) == {kettle: "kettle"}
