"""Embedded Kafka keeps what was acknowledged, whatever ends it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from headrace.local.errors import PortTaken, StartFailed
from headrace.local.kafka import EmbeddedKafka
from headrace.local.ports import HOST, free_ports
from headrace.local.waiting import wait_until


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[EmbeddedKafka]:
    port, controller_port = free_ports(2)
    with EmbeddedKafka(server_folder / "kafka-of-its-own", port, controller_port) as server:
        yield server


def _create(server: EmbeddedKafka, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=server.bootstrap_servers)
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    admin.close()


def _send(server: EmbeddedKafka, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=server.bootstrap_servers, acks="all")
    for value in values:
        producer.send(topic, value).get(timeout=20)
    producer.close()


def _read(server: EmbeddedKafka, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=server.bootstrap_servers, auto_offset_reset="earliest"
    )
    values: list[bytes] = []

    def enough() -> bool:
        for records in consumer.poll(timeout_ms=200).values():
            values.extend(record.value for record in records)
        return len(values) >= count

    assert wait_until(enough, seconds=30)
    consumer.close()
    return values


def test_acknowledged_records_survive_a_stop_and_a_kill(server: EmbeddedKafka) -> None:
    _create(server, "kept")
    _send(server, "kept", b"1")
    server.stop()
    assert not server.running
    server.start()
    _send(server, "kept", b"2")
    server.kill()
    server.start()
    assert _read(server, "kept", 2) == [b"1", b"2"]


def test_topics_are_not_made_by_accident(server: EmbeddedKafka) -> None:
    consumer = KafkaConsumer(bootstrap_servers=server.bootstrap_servers)
    assert not consumer.partitions_for_topic("typo")
    assert "typo" not in consumer.topics()
    consumer.close()


def test_a_taken_port_is_named_with_the_variable_that_changes_it(server_folder: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        (controller_port,) = free_ports(1)
        with pytest.raises(PortTaken, match=rf"Port {port}.*HEADRACE_LOCAL_KAFKA_PORT"):
            EmbeddedKafka(server_folder / "taken-kafka", port, controller_port).start()


def test_a_node_that_dies_at_start_shows_the_end_of_its_log(server_folder: Path) -> None:
    folder = server_folder / "broken-kafka"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "meta.properties").write_text("version=1\nnode.id=7\n")
    port, controller_port = free_ports(2)
    with pytest.raises(StartFailed, match=r"ended with code 1(.|\n)*meta.properties"):
        EmbeddedKafka(folder, port, controller_port).start()
