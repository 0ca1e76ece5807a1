"""Kafka and Postgres in containers, with the same doors as the embedded ones."""

import docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from headrace.local.kafka import kafka_answers
from headrace.local.postgres import postgres_answers
from headrace.local.waiting import wait_until

START_SECONDS = 120.0


def docker_answers() -> bool:
    """Whether a Docker engine can be used."""
    try:
        client = docker.from_env(timeout=3)
        client.ping()
    except DockerException:
        return False
    client.close()
    return True


class _Restartable:
    """A container on a fixed port that keeps its files from a stop to the next start."""

    def __init__(self, container: DockerContainer) -> None:
        self._container = container
        self._created = False

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True
        assert wait_until(self.answers, START_SECONDS), f"{self} does not answer"

    def stop(self) -> None:
        # testcontainers removes the container when this process ends.
        self._container.get_wrapped_container().stop(timeout=30)

    def answers(self) -> bool:
        raise NotImplementedError


class KafkaContainer(_Restartable):
    def __init__(self, port: int) -> None:
        self.bootstrap_servers = f"127.0.0.1:{port}"
        container = DockerContainer("apache/kafka:4.3.1").with_bind_ports(port, port)
        listeners = f"PLAINTEXT://:{port},CONTROLLER://:9093"
        for name, value in {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_LISTENERS": listeners,
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{self.bootstrap_servers}",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
            "KAFKA_HEAP_OPTS": "-Xmx384m",
        }.items():
            container = container.with_env(name, value)
        super().__init__(container)

    def answers(self) -> bool:
        return kafka_answers(self.bootstrap_servers)


class PostgresContainer(_Restartable):
    def __init__(self, port: int) -> None:
        self._port = port
        container = DockerContainer("postgres:18").with_bind_ports(5432, port)
        for name in ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"):
            container = container.with_env(name, "headrace")
        super().__init__(container)

    @property
    def dsn(self) -> str:
        return self.dsn_of("headrace")

    def dsn_of(self, database: str) -> str:
        return f"postgresql://headrace:headrace@127.0.0.1:{self._port}/{database}"

    def answers(self) -> bool:
        return postgres_answers(self.dsn)
