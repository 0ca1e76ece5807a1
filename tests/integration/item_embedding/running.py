"""An item_embedding process, and what tests read from its topics."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.api.item_embedding.v1 import item_embedding_pb2 as pb
from headrace.api.item_embedding.v1.item_embedding_pb2_grpc import ItemEmbeddingServiceStub
from headrace.api.vectors.v1.vectors_pb2 import ItemVector
from headrace.local.ports import HOST, free_ports
from headrace.local.waiting import wait_until
from headrace.runtime.topics import dead_letters, item_vectors

DEADLINE_S = 40.0


def _two_ports() -> tuple[int, int]:
    first, second = free_ports(2)
    return first, second


@dataclass
class Service:
    """One process with a database, a model version and so a group and a topic of its own."""

    kafka: str
    database: str
    bundle: Path
    log_file: Path
    ports: tuple[int, int] = field(default_factory=_two_ports)
    process: subprocess.Popen[bytes] | None = None

    @property
    def model_version(self) -> str:
        return str(json.loads((self.bundle / "manifest.json").read_text())["model_version"])

    def start(self) -> None:
        grpc_port, metrics_port = self.ports
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.item_embedding"],
                stderr=log,
                env={
                    **os.environ,
                    "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
                    "HEADRACE_DATABASE_URL": self.database,
                    "HEADRACE_BUNDLE_URL": str(self.bundle),
                    "HEADRACE_GRPC_PORT": str(grpc_port),
                    "HEADRACE_METRICS_PORT": str(metrics_port),
                    "HEADRACE_SWEEP_PERIOD_S": "0.5",
                },
            )

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.ports[1]}/readyz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def wait_ready(self) -> None:
        assert wait_until(self.ready, DEADLINE_S), self.log_file.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        self.process = None
        return code

    def calls(self) -> "Calls":
        return Calls(f"{HOST}:{self.ports[0]}", self.model_version)

    def vectors(self, enough: Callable[[dict[str, ItemVector]], bool]) -> dict[str, ItemVector]:
        """The newest vector of each item on the topic, once they are enough."""
        found: dict[str, ItemVector] = {}

        def note(raw: Any) -> None:
            vector = ItemVector.FromString(raw.value)
            before = found.get(vector.change.item.item_id)
            assert before is None or before.change.revision <= vector.change.revision
            found[vector.change.item.item_id] = vector

        read(self.kafka, item_vectors(self.model_version), note, lambda: enough(found))
        return found

    def metrics(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://{HOST}:{self.ports[1]}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in samples}


class Calls:
    """The service's RPCs, waiting for it while it starts."""

    def __init__(self, address: str, model_version: str) -> None:
        self._stub = ItemEmbeddingServiceStub(grpc.insecure_channel(address))
        self._model_version = model_version

    def upsert(self, *items: Item) -> list[ItemChange]:
        request = pb.UpsertItemsRequest(items=items)
        answer = self._stub.UpsertItems(request, timeout=DEADLINE_S, wait_for_ready=True)
        return list(answer.changes)

    def delete(self, item_id: str) -> ItemChange:
        return self._stub.DeleteItem(
            pb.DeleteItemRequest(item_id=item_id), timeout=DEADLINE_S
        ).change

    def find(self, *item_ids: str) -> list[ItemChange]:
        request = pb.GetItemsRequest(item_ids=item_ids)
        return list(self._stub.GetItems(request, timeout=DEADLINE_S).changes)

    def vectors(self, *ordinals: int) -> list[ItemVector]:
        request = pb.GetItemVectorsRequest(ordinals=ordinals, model_version=self._model_version)
        return list(self._stub.GetItemVectors(request, timeout=DEADLINE_S).vectors)


def read(
    bootstrap_servers: str, topic: str, note: Callable[[Any], None], enough: Callable[[], bool]
) -> None:
    """Hands every record of the topic to `note`, oldest first, until it is enough."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap_servers)
    try:
        consumer.assign([TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)])
        consumer.seek_to_beginning()

        def go_on() -> bool:
            for batch in consumer.poll(timeout_ms=200).values():
                for raw in batch:
                    note(raw)
            return enough()

        assert wait_until(go_on, DEADLINE_S), f"topic {topic} has not what was expected"
    finally:
        consumer.close()


def dead_letter(bootstrap_servers: str, topic: str, value: bytes) -> dict[str, bytes]:
    """The headers of the dead letter with this value."""
    found: list[dict[str, bytes]] = []

    def note(raw: Any) -> None:
        if raw.value == value:
            found.append(dict(raw.headers))

    read(bootstrap_servers, dead_letters(topic), note, lambda: bool(found))
    return found[0]


def write(bootstrap_servers: str, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap_servers)
    for value in values:
        producer.send(topic, value, key=b"stray").get(timeout=DEADLINE_S)
    producer.close()
