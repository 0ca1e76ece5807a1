"""The gateway as a process: it starts, says when it is ready, serves, and stops gently."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from headrace.client import Headrace
from headrace.local.ports import free_ports
from headrace.local.waiting import wait_until
from headrace.runtime.topics import create_topics
from tests.conftest import KafkaServer
from tests.service_process import DEADLINE_S, ServiceProcess

KEY = "a-key-for-this-test-0123"


class GatewayProcess(ServiceProcess):
    """A gateway whose ranker is away, and Postgres too."""

    def __init__(self, kafka: KafkaServer, folder: Path, **variables: str) -> None:
        (self.http_port,) = free_ports(1)
        super().__init__(
            "gateway",
            folder / "gateway.log",
            {
                "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                "RANKER_ADDRESS": "127.0.0.1:1",
                "ITEM_EMBEDDING_ADDRESS": "127.0.0.1:1",
                "API_KEYS": f"{KEY}:admin",
                "TOKEN_KEYS": "k1:a-secret-of-32-characters-or-more",
                "DATABASE_URL": "postgresql://127.0.0.1:1/nowhere",
                "HTTP_PORT": str(self.http_port),
                **variables,
            },
        )


@pytest.fixture
def gateway(kafka: KafkaServer, tmp_path: Path) -> Iterator[GatewayProcess]:
    create_topics(kafka.bootstrap_servers, "m1")
    process = GatewayProcess(kafka, tmp_path)
    child = process.start()
    only_ranker = {"ranker"}
    assert wait_until(lambda: process.missing() == only_ranker, DEADLINE_S), child.last_log_lines()
    yield process
    process.close()


def test_it_accepts_events_while_the_ranker_is_away(gateway: GatewayProcess) -> None:
    with Headrace(gateway.address, api_key=KEY) as client:
        assert client.record_event("259", "50")
    answer = httpx.get(
        f"http://127.0.0.1:{gateway.http_port}/v1/users/259/recommendations",
        headers={"authorization": f"Bearer {KEY}"},
    )
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_on_sigterm_it_ends_with_0_though_a_connection_is_kept_open(
    gateway: GatewayProcess,
) -> None:
    with socket.create_connection(("127.0.0.1", gateway.http_port)) as kept:
        kept.sendall(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n")
        assert kept.recv(4_096).startswith(b"HTTP/1.1 200")
        gateway.child.send(signal.SIGTERM)
        assert gateway.child.wait(DEADLINE_S)
    assert gateway.child.exit_code == 0
    log = gateway.log_file.read_text()
    assert "stopped" in log
    assert KEY not in log


def test_a_port_that_is_taken_is_named(
    gateway: GatewayProcess, kafka: KafkaServer, tmp_path: Path
) -> None:
    second = GatewayProcess(kafka, tmp_path, HTTP_PORT=str(gateway.http_port)).start()
    assert second.wait(DEADLINE_S)
    assert second.exit_code == 1
    log = second.last_log_lines()
    assert f"port {gateway.http_port} of HEADRACE_HTTP_PORT" in log


def test_wrong_settings_end_it_with_2(kafka: KafkaServer, tmp_path: Path) -> None:
    second = GatewayProcess(kafka, tmp_path, API_KEYS="short:events").start()
    assert second.wait(DEADLINE_S)
    assert second.exit_code == 2
    assert "HEADRACE_API_KEYS" in second.last_log_lines()
