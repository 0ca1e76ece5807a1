"""A bulk import until every vector is in Kafka: `python -m bench.catalogue`.

Starts item_embedding with a Kafka and a Postgres of its own, both empty, and stops them afterwards.
Without `--bundle` it makes the toy bundle.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from kafka import KafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from bench.report import percentiles_ms, print_table
from headrace.api.catalogue.v1.catalogue_pb2 import Item
from headrace.api.item_embedding.v1.item_embedding_pb2 import UpsertItemsRequest
from headrace.api.item_embedding.v1.item_embedding_pb2_grpc import ItemEmbeddingServiceStub
from headrace.api.vectors.v1.vectors_pb2 import ItemVector
from headrace.bundle import Bundle
from headrace.local.kafka import EmbeddedKafka
from headrace.local.ports import HOST, free_ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.local.waiting import wait_until
from headrace.runtime.topics import create_topics, item_vectors
from headrace.store.migrations import migrate
from headrace.training.toy import make_toy_bundle

_DEADLINE_S = 300.0
_WORDS = (
    "a",
    "quiet",
    "comedy",
    "about",
    "two",
    "brothers",
    "who",
    "cross",
    "the",
    "old",
    "desert",
)


@dataclass(frozen=True)
class Target:
    """A running item_embedding."""

    address: str
    metrics_url: str
    kafka: str
    model_version: str

    def cpu_seconds(self) -> float:
        with urllib.request.urlopen(f"{self.metrics_url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        return next(
            family.samples[0].value
            for family in text_string_to_metric_families(text)
            if family.name == "process_cpu_seconds"
        )

    def ready(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.metrics_url}/readyz", timeout=5).close()
        except OSError:
            return False
        return True


@contextmanager
def running(bundle: str | None) -> Iterator[Target]:
    """Everything that an import needs, on free ports."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    kafka_port, controller_port, postgres_port, grpc_port, metrics_port = free_ports(5)
    bundle = bundle or _toy_bundle(folder / "bundle")
    kafka = EmbeddedKafka(folder / "kafka", kafka_port, controller_port)
    postgres = EmbeddedPostgres(folder / "postgres", postgres_port)
    with kafka, postgres:
        migrate(postgres.dsn)
        model_version = Bundle.load(bundle, ["item"]).model_version
        create_topics(kafka.bootstrap_servers, model_version)
        service = subprocess.Popen(
            [sys.executable, "-m", "services.item_embedding"],
            env={
                **os.environ,
                "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                "HEADRACE_DATABASE_URL": postgres.dsn,
                "HEADRACE_BUNDLE_URL": bundle,
                "HEADRACE_GRPC_PORT": str(grpc_port),
                "HEADRACE_METRICS_PORT": str(metrics_port),
                "HEADRACE_LOG_LEVEL": "WARNING",
            },
        )
        target = Target(
            f"{HOST}:{grpc_port}",
            f"http://{HOST}:{metrics_port}",
            kafka.bootstrap_servers,
            model_version,
        )
        try:
            if not wait_until(target.ready, _DEADLINE_S):
                sys.exit("item_embedding is not ready")
            yield target
        finally:
            service.terminate()
            service.wait(60)
    shutil.rmtree(folder)


def _toy_bundle(folder: Path) -> str:
    make_toy_bundle(folder)
    return str(folder)


def answered_at(target: Target, batches: list[list[Item]], in_flight: int) -> dict[str, float]:
    """Upserts everything. Returns: when each item's request was answered, s since the epoch."""
    stub = ItemEmbeddingServiceStub(grpc.insecure_channel(target.address))

    def upsert(batch: list[Item]) -> dict[str, float]:
        stub.UpsertItems(UpsertItemsRequest(items=batch), timeout=_DEADLINE_S)
        return dict.fromkeys((item.item_id for item in batch), time.time())

    with ThreadPoolExecutor(in_flight) as callers:
        answers = list(callers.map(upsert, batches))
    return {item_id: at for answer in answers for item_id, at in answer.items()}


def published_at(target: Target, item_ids: set[str]) -> dict[str, float]:
    """When each item's vector was written to Kafka, s since the epoch."""
    topic = item_vectors(target.model_version)
    consumer = KafkaConsumer(bootstrap_servers=target.kafka)
    consumer.assign([TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)])
    consumer.seek_to_beginning()
    found: dict[str, float] = {}

    def all_found() -> bool:
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                item_id = ItemVector.FromString(record.value).change.item.item_id
                if item_id in item_ids:
                    found.setdefault(item_id, record.timestamp / 1000)
        return len(found) == len(item_ids)

    complete = wait_until(all_found, _DEADLINE_S)
    consumer.close()
    if not complete:
        sys.exit(f"{len(item_ids) - len(found)} items have no vector")
    return found


def measure(target: Target, run: str, count: int, batch: int, in_flight: int) -> list[float]:
    """Items/s answered and embedded, lag behind the answer in ms, CPU ms for 1,000 items."""
    items = [
        Item(
            item_id=f"{run}-{i}",
            title=f"Item {i}",
            description=" ".join(_WORDS[(i + j) % len(_WORDS)] for j in range(30)),
            categories=["comedy", "drama"],
            attributes={"year": 1950 + i % 70},
        )
        for i in range(count)
    ]
    cpu = target.cpu_seconds()
    began = time.time()
    answers = answered_at(target, [items[i : i + batch] for i in range(0, count, batch)], in_flight)
    vectors = published_at(target, set(answers))
    cpu = target.cpu_seconds() - cpu
    p50, _, p99 = percentiles_ms([max(0.0, vectors[i] - answers[i]) for i in answers])
    return [
        count / (max(answers.values()) - began),
        count / (max(vectors.values()) - began),
        p50,
        p99,
        cpu / count * 1e6,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", help="URL of a bundle")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--in-flight", type=int, default=2)
    given = parser.parse_args()
    with running(given.bundle) as target:
        measure(target, "warm-up", 2_000, given.batch, given.in_flight)
        figures = measure(target, "run", given.items, given.batch, given.in_flight)
        one = measure(target, "single", 200, 1, 1)
    print_table(
        "item_embedding: upserts until their vectors are in Kafka",
        ["", "answered/s", "vectors/s", "lag p50, ms", "lag p99, ms", "CPU ms/1,000"],
        [
            [f"{given.items} in batches of {given.batch}, {given.in_flight} in flight", *figures],
            ["200 one by one", *one],
        ],
    )


if __name__ == "__main__":
    main()
