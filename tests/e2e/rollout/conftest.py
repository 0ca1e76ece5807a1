"""Every service with as many pods as its manifest says, on a Kafka and a Postgres of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.local.ports import Ports
from headrace.local.system import LocalSystem
from tests.e2e.rollout.cluster import Cluster
from tests.e2e.rollout.manifest import services
from tests.e2e.toy_catalogue import stock
from tests.e2e.visitor import API_KEY


@pytest.fixture(scope="module")
def cluster(server_folder: Path, toy_bundle: Path) -> Iterator[Cluster]:
    stores = LocalSystem(server_folder / "cluster", Ports.free(), toy_bundle, api_key=API_KEY)
    try:
        stores.start_infrastructure()
        variables = {
            "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": stores.kafka_bootstrap_servers,
            "HEADRACE_DATABASE_URL": stores.database_url,
            "HEADRACE_BUNDLE_URL": str(stores.bundle),
            "HEADRACE_MODEL_SLOT": "blue",
            "HEADRACE_API_KEYS": f"{API_KEY}:events+read+catalogue+admin",
            "HEADRACE_TOKEN_KEYS": "k1:a-secret-of-32-characters-or-more",
            # The machine may be busy, and how fast it is, is not what is tested here.
            "HEADRACE_RANKER_DEADLINE_MS": "10000",
            "HEADRACE_USER_EMBEDDING_TIMEOUT_MS": "4000",
            "HEADRACE_EVENTS_DEADLINE_MS": "10000",
        }
        with Cluster(stores, services(), variables) as running:
            stock(running.http_url)
            yield running
    finally:
        stores.stop()
