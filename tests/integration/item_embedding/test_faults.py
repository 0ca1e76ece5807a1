"""What is stored reaches the topics, whatever dies in between."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import grpc
import pytest

from headrace.api.catalogue.v1.catalogue_pb2 import Item
from headrace.contracts.items import NewItem
from headrace.local.waiting import wait_until
from headrace.runtime.topics import create_topics
from headrace.store.database import Database
from services.item_embedding.catalogue_store import CatalogueStore
from services.item_embedding.recent import RecentItems
from services.item_embedding.vector_store import VectorStore
from tests.conftest import KafkaServer, PostgresServer
from tests.integration.item_embedding.running import Service
from tests.service_process import DEADLINE_S


def test_a_change_stored_before_a_crash_is_published_after_it(
    service: Service, pool: Database
) -> None:
    catalogue = CatalogueStore(pool, RecentItems())
    catalogue.upsert([NewItem(item_id="a", title="Stored"), NewItem(item_id="b", title="Hidden")])
    catalogue.hide("b")
    service.start()
    found = service.vectors(lambda vectors: len(vectors) == 2)
    assert (found["a"].change.revision, found["b"].change.deleted) == (1, True)
    service.wait_ready()
    assert catalogue.publish_changes(lambda _items: None, 10) == 0


def test_a_vector_stored_before_a_crash_is_published_after_it(
    service: Service, pool: Database
) -> None:
    recent = RecentItems()
    catalogue = CatalogueStore(pool, recent)
    vectors = VectorStore(pool, service.model_version, recent)
    stored = catalogue.upsert([NewItem(item_id="a", title="Stored")])
    catalogue.publish_changes(lambda _items: None, 10)
    service.start()
    service.vectors(lambda found: "a" in found)
    assert vectors.lacking([stored[0].ordinal]) == []


def test_a_new_model_version_embeds_the_whole_catalogue(
    running: Service, new_model: Callable[[], Path]
) -> None:
    running.calls().upsert(*items(50))
    running.vectors(lambda vectors: len(vectors) == 50)
    assert running.child.stop(DEADLINE_S) == 0
    running.variables["BUNDLE_URL"] = str(new_model())
    create_topics(running.kafka, running.model_version)
    running.start_and_wait()
    assert len(running.vectors(lambda vectors: len(vectors) == 50)) == 50


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_ends_amid_an_import_loses_nothing(
    running: Service, number: signal.Signals
) -> None:
    calls = running.calls()
    batches = [items(200, prefix=f"{batch}-") for batch in range(10)]
    with ThreadPoolExecutor(1) as importer:
        first = importer.submit(calls.upsert, *batches[0])
        first.result(DEADLINE_S)
        rest = importer.submit(_import, running, batches[1:])
        assert running.child.stop(DEADLINE_S, number) == (
            0 if number == signal.SIGTERM else -number
        )
        running.start()
        rest.result(DEADLINE_S)
    found = running.vectors(lambda vectors: len(vectors) == 2_000)
    assert {vector.change.ordinal for vector in found.values()} == set(range(1, 2_001))


def test_an_upsert_is_answered_without_kafka_and_published_once_it_is_back(
    running: Service, kafka: KafkaServer
) -> None:
    kafka.stop()
    try:
        (change,) = running.calls().upsert(*items(1))
    finally:
        kafka.start()
    found = running.vectors(bool)
    assert found["0"].change == change


def test_without_postgres_a_call_is_unavailable_until_it_is_back(
    running: Service, postgres: PostgresServer
) -> None:
    calls = running.calls()
    calls.upsert(*items(1))
    postgres.stop()
    try:
        with pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
            calls.upsert(*items(2))
        assert wait_until(lambda: not running.ready(), DEADLINE_S)
    finally:
        postgres.start()
    running.wait_ready()
    calls.upsert(*items(2))
    running.vectors(lambda vectors: len(vectors) == 2)


def items(count: int, prefix: str = "") -> list[Item]:
    return [Item(item_id=f"{prefix}{i}", title=f"Title {i}") for i in range(count)]


def _import(service: Service, batches: list[list[Item]]) -> None:
    for batch in batches:
        assert wait_until(partial(_taken, service, batch), DEADLINE_S)


def _taken(service: Service, batch: list[Item]) -> bool:
    try:
        service.calls().upsert(*batch)
    except grpc.RpcError:
        return False
    return True
