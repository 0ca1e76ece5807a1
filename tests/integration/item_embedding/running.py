"""An item_embedding process, and what tests read from its topics."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.api.item_embedding.v1 import item_embedding_pb2 as pb
from headrace.api.item_embedding.v1.item_embedding_pb2_grpc import ItemEmbeddingServiceStub
from headrace.api.vectors.v1.vectors_pb2 import ItemVector
from headrace.local.waiting import wait_until
from headrace.runtime.topics import dead_letters, item_vectors
from tests.service_process import DEADLINE_S, ServiceProcess


class Service(ServiceProcess):
    """One process with a database, a model version and so a group and a topic of its own."""

    def __init__(self, kafka: str, database: str, bundle: Path, log_file: Path) -> None:
        super().__init__(
            "item_embedding",
            log_file,
            {
                "KAFKA_BOOTSTRAP_SERVERS": kafka,
                "DATABASE_URL": database,
                "BUNDLE_URL": str(bundle),
                "SWEEP_PERIOD_S": "0.5",
            },
        )
        self.kafka = kafka

    @property
    def bundle(self) -> Path:
        return Path(self.variables["BUNDLE_URL"])

    @property
    def model_version(self) -> str:
        return str(json.loads((self.bundle / "manifest.json").read_text())["model_version"])

    def calls(self) -> "Calls":
        return Calls(self.address, self.model_version)

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
