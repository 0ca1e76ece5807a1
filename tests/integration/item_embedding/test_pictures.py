"""A service that fetches pictures of its items."""

import time

import numpy as np

from headrace.api.catalogue.v1.catalogue_pb2 import Availability, Item
from headrace.api.vectors.v1.vectors_pb2 import ItemVector
from headrace.bundle import Bundle, ItemContent
from headrace.index.encoding import from_bytes
from headrace.local.waiting import wait_until
from headrace.pictures.reading import reduced
from headrace.store.database import Database
from tests.integration.item_embedding.running import Service
from tests.integration.item_embedding.web import RED_DISC, shop
from tests.service_process import DEADLINE_S

FETCHES = "headrace_picture_fetches_total"


def item(item_id: str, url: str) -> Item:
    in_stock = Availability.AVAILABILITY_IN_STOCK
    return Item(item_id=item_id, title="A thing", picture_url=url, availability=in_stock)


def test_a_vector_comes_without_its_picture_and_then_with_it(
    looking_service: Service, pool: Database
) -> None:
    service, model = looking_service, Bundle.load(str(looking_service.bundle), ["item"]).items
    with shop() as ours, shop() as foreign:
        service.variables["PICTURE_ORIGINS"] = f"{ours.origin}, https://cdn.example:8443"
        service.start_and_wait()
        calls = service.calls()
        urls = {
            name: f"{ours.origin}/{name}"
            for name in ("red.png", "moved.png", "page.png", "half.png", "endless.png", "slow.png")
        }
        items = [item(name, url) for name, url in urls.items()]
        began = time.monotonic()
        changes = calls.upsert(*items, item("foreign", f"{foreign.origin}/red.png"))
        assert time.monotonic() - began < 4  # the slow one takes 5 s
        assert {change.revision for change in changes} == {1}

        def red_seen(vectors: dict[str, ItemVector]) -> bool:
            return "red.png" in vectors and vectors["red.png"].change.revision == 2

        found = service.vectors(red_seen)
        pixels = reduced(RED_DISC)
        assert isinstance(pixels, np.ndarray)
        (seen, unseen), _ = model.encode(
            [
                ItemContent("red.png", "A thing", picture=pixels),
                ItemContent("foreign", "A thing"),
            ]
        )
        vector = found["red.png"]
        assert np.allclose(from_bytes(vector.vector, vector.width), seen, atol=1e-4)
        assert not np.allclose(seen, unseen, atol=0.1)
        (first,) = calls.vectors(changes[-1].ordinal)
        assert first.change.revision == 1
        assert np.allclose(from_bytes(first.vector, first.width), unseen, atol=1e-4)
        outcomes = ("read", "redirected", "other_type", "broken", "too_large", "timed_out")

        def fetched() -> dict[str, float]:
            return {outcome: service.metric(FETCHES, outcome=outcome) for outcome in outcomes}

        wait_until(lambda: all(fetched().values()), DEADLINE_S)
        # What timed out is asked for again after a minute.
        assert fetched() | {"timed_out": 1} == dict.fromkeys(outcomes, 1)
        assert foreign.asked == []
        assert set(ours.asked) == {f"/{name}" for name in urls}
        calls.delete("red.png")
        with pool.transaction() as cursor:
            cursor.execute("SELECT picture_url FROM item_pictures WHERE pixels IS NOT NULL")
            assert cursor.fetchall() == []


def test_without_origins_nothing_is_fetched(shared_service: Service) -> None:
    with shop() as ours:
        (change,) = shared_service.calls().upsert(item("alone", f"{ours.origin}/red.png"))
        shared_service.vectors(lambda vectors: "alone" in vectors)
        rounds = "headrace_items_encoded_total"
        before = shared_service.metrics()[rounds]
        shared_service.calls().upsert(item("later", f"{ours.origin}/red.png"))
        assert wait_until(lambda: shared_service.metrics()[rounds] > before, DEADLINE_S)
        assert change.revision == 1
        assert ours.asked == []
        assert not any(name.startswith(FETCHES + "{") for name in shared_service.metrics())
