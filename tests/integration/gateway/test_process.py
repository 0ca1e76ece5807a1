"""The gateway as a process: it starts, says when it is ready, serves, and stops gently."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from headrace.client import Headrace
from headrace.local.ports import free_ports
from headrace.local.waiting import wait_until
from headrace.runtime.topics import create_topics
from tests.conftest import KafkaServer

KEY = "a-key-for-this-test-0123"


@dataclass
class Running:
    """A gateway whose ranker is away."""

    process: subprocess.Popen[bytes]
    http_port: int
    grpc_port: int
    metrics_port: int
    log: Path

    def ready(self) -> set[str]:
        """What /readyz misses; `nothing listens` until it answers."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.metrics_port}/readyz")
        except httpx.TransportError:
            return {"nothing listens"}
        return set(answer.json()["missing"])


def _start(kafka: KafkaServer, folder: Path, **settings: str) -> Running:
    http_port, grpc_port, metrics_port = free_ports(3)
    log = folder / "gateway.log"
    environ = {
        **os.environ,
        "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "HEADRACE_RANKER_ADDRESS": "127.0.0.1:1",
        "HEADRACE_ITEM_EMBEDDING_ADDRESS": "127.0.0.1:1",
        "HEADRACE_API_KEYS": f"{KEY}:admin",
        "HEADRACE_HTTP_PORT": str(http_port),
        "HEADRACE_GRPC_PORT": str(grpc_port),
        "HEADRACE_METRICS_PORT": str(metrics_port),
        **settings,
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.gateway"], env=environ, stderr=file
        )
    return Running(process, http_port, grpc_port, metrics_port, log)


@pytest.fixture
def gateway(kafka: KafkaServer, tmp_path: Path) -> Iterator[Running]:
    create_topics(kafka.bootstrap_servers, "m1")
    running = _start(kafka, tmp_path)
    assert wait_until(lambda: running.ready() == {"ranker"}, 60), running.log.read_text()
    yield running
    running.process.kill()
    running.process.wait(10)


def test_it_accepts_events_while_the_ranker_is_away(gateway: Running) -> None:
    with Headrace(f"127.0.0.1:{gateway.grpc_port}", api_key=KEY) as client:
        assert client.record_event("259", "50")
    answer = httpx.get(
        f"http://127.0.0.1:{gateway.http_port}/v1/users/259/recommendations",
        headers={"authorization": f"Bearer {KEY}"},
    )
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_on_sigterm_it_ends_with_0_though_a_connection_is_kept_open(gateway: Running) -> None:
    with socket.create_connection(("127.0.0.1", gateway.http_port)) as kept:
        kept.sendall(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n")
        assert kept.recv(4_096).startswith(b"HTTP/1.1 200")
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0
    log = gateway.log.read_text()
    assert "stopped" in log
    assert KEY not in log


def test_a_port_that_is_taken_is_named(
    gateway: Running, kafka: KafkaServer, tmp_path: Path
) -> None:
    second = _start(kafka, tmp_path, HEADRACE_HTTP_PORT=str(gateway.http_port))
    assert second.process.wait(30) == 1
    log = second.log.read_text()
    assert f"port {gateway.http_port} of HEADRACE_HTTP_PORT" in log


def test_wrong_settings_end_it_with_2(kafka: KafkaServer, tmp_path: Path) -> None:
    second = _start(kafka, tmp_path, HEADRACE_API_KEYS="short:events")
    assert second.process.wait(30) == 2
    assert "HEADRACE_API_KEYS" in second.log.read_text()
