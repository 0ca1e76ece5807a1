"""A bulk import until every item can be found: `python -m bench.catalogue`.

Starts item_embedding with a Kafka and a Postgres of its own, both empty, and beside it what a
ranker does with vectors, and stops them afterwards. Without `--bundle` it makes the toy bundle.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
from kafka import KafkaConsumer, TopicPartition

from bench.following import Follower
from bench.passage import Passage, Times, rates, stages
from bench.report import percentiles_ms, print_table
from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.api.item_embedding.v1.item_embedding_pb2 import UpsertItemsRequest
from headrace.api.item_embedding.v1.item_embedding_pb2_grpc import ItemEmbeddingServiceStub
from headrace.api.vectors.v1.vectors_pb2 import ItemVector
from headrace.bundle import Bundle
from headrace.local.kafka import EmbeddedKafka
from headrace.local.ports import HOST, free_ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.local.waiting import wait_until
from headrace.runtime.topics import ITEMS, create_topics, item_vectors
from headrace.store.migrations import migrate
from headrace.training.toy import make_toy_bundle

_DEADLINE_S = 300.0
_SENTENCE = "a quiet comedy about two brothers who cross the old desert"
_WORDS = _SENTENCE.split(" ")


@dataclass(frozen=True)
class Target:
    """A running item_embedding, and who follows its vectors."""

    address: str
    metrics_url: str
    kafka: str
    model_version: str
    follower: Follower
    processes: dict[str, psutil.Process]

    def cpu_seconds(self) -> dict[str, float]:
        """By process, those below it included."""
        return {name: _cpu_seconds(process) for name, process in self.processes.items()}

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
        with Follower(kafka.bootstrap_servers, bundle) as follower:
            target = Target(
                f"{HOST}:{grpc_port}",
                f"http://{HOST}:{metrics_port}",
                kafka.bootstrap_servers,
                model_version,
                follower,
                {
                    "item_embedding": psutil.Process(service.pid),
                    "Postgres": psutil.Process(postgres.pid),
                    "Kafka": psutil.Process(kafka.pid),
                    "ranker": psutil.Process(follower.pid),
                },
            )
            try:
                if not wait_until(target.ready, _DEADLINE_S):
                    sys.exit("item_embedding is not ready")
                yield target
            finally:
                service.terminate()
                service.wait(60)
    shutil.rmtree(folder)


def _cpu_seconds(process: psutil.Process) -> float:
    """Of a process, the children that it has, and those that it has outlived."""
    times = process.cpu_times()
    gone = times.children_user + times.children_system
    return times.user + times.system + gone + sum(map(_cpu_seconds, process.children()))


def _toy_bundle(folder: Path) -> str:
    make_toy_bundle(folder)
    return str(folder)


def upsert_all(target: Target, batches: list[list[Item]], in_flight: int) -> tuple[Times, Times]:
    """Returns: when each item's request was sent, and when it was answered."""
    stub = ItemEmbeddingServiceStub(grpc.insecure_channel(target.address))
    asked: Times = {}
    answered: Times = {}

    def upsert(batch: list[Item]) -> None:
        item_ids = [item.item_id for item in batch]
        asked.update(dict.fromkeys(item_ids, time.time()))
        stub.UpsertItems(UpsertItemsRequest(items=batch), timeout=_DEADLINE_S)
        answered.update(dict.fromkeys(item_ids, time.time()))

    with ThreadPoolExecutor(in_flight) as callers:
        list(callers.map(upsert, batches))
    return asked, answered


def written_at(target: Target, topic: str, item_id: Callable[[bytes], str], wanted: Times) -> Times:
    """When the first record of each item was made that is `wanted`."""
    consumer = KafkaConsumer(bootstrap_servers=target.kafka)
    consumer.assign([TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)])
    consumer.seek_to_beginning()
    found: Times = {}

    def all_found() -> bool:
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                if (key := item_id(record.value)) in wanted:
                    found.setdefault(key, record.timestamp / 1000)
        return len(found) == len(wanted)

    complete = wait_until(all_found, _DEADLINE_S, every_seconds=0.0)
    consumer.close()
    if not complete:
        sys.exit(f"{topic} lacks {len(wanted) - len(found)} items")
    return found


class Import:
    """Imports one after the other into the same catalogue."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._items = 0

    def run(self, name: str, count: int, batch: int, in_flight: int) -> Passage:
        target = self._target
        items = [_item(name, number) for number in range(count)]
        self._items += count
        cpu = target.cpu_seconds()
        asked, answered = upsert_all(
            target, [items[start : start + batch] for start in range(0, count, batch)], in_flight
        )
        found = target.follower.found_at(self._items, _DEADLINE_S)
        spent = {name: now - cpu[name] for name, now in target.cpu_seconds().items()}
        if len(found) < self._items:
            sys.exit(f"{self._items - len(found)} items cannot be found")
        topic = item_vectors(target.model_version)
        changed = written_at(target, ITEMS, _changed_id, asked)
        embedded = written_at(target, topic, _embedded_id, asked)
        return Passage(asked, answered, changed, embedded, found, spent)


def _item(name: str, number: int) -> Item:
    return Item(
        item_id=f"{name}-{number}",
        title=f"Item {number}",
        description=" ".join(_WORDS[(number + j) % len(_WORDS)] for j in range(30)),
        categories=["comedy", "drama"],
        attributes={"year": 1950 + number % 70},
    )


def _changed_id(value: bytes) -> str:
    return ItemChange.FromString(value).item.item_id


def _embedded_id(value: bytes) -> str:
    return ItemVector.FromString(value).change.item.item_id


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", help="URL of a bundle")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--in-flight", type=int, default=2)
    given = parser.parse_args()
    with running(given.bundle) as target:
        imports = Import(target)
        imports.run("warm-up", 2_000, given.batch, given.in_flight)
        many = imports.run("run", given.items, given.batch, given.in_flight)
        single = imports.run("single", 200, 1, 1)
    batches = f"{given.items:,} in batches of {given.batch:,}, {given.in_flight} in flight"
    print_table(
        "item_embedding: upserts until a ranker finds them; CPU in ms for 1,000 items",
        ["", "answered/s", "found/s", *many.cpu],
        [[batches, *rates(many)], ["200 one by one", *rates(single)]],
    )
    for title, passage in ((batches, many), ("200 one by one", single)):
        print_table(
            title,
            ["", "p50 ms", "p90 ms", "p99 ms"],
            [[name, *percentiles_ms(seconds)] for name, seconds in stages(passage)],
        )


if __name__ == "__main__":
    main()
