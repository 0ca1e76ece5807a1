"""Operators see metrics, life and readiness on a port of every process."""

import socket

import httpx
import pytest

from headrace.errors import Unavailable
from headrace.local.ports import free_ports
from headrace.runtime.dead_letters import to_dead_letter
from headrace.runtime.kafka_records import Record, Refusal
from headrace.runtime.operations import OperationsServer
from headrace.runtime.readiness import Readiness


async def test_it_tells_life_readiness_and_what_is_missing() -> None:
    (port,) = free_ports(1)
    readiness = Readiness()
    readiness.require("bundle", lambda: False)
    url = f"http://127.0.0.1:{port}"
    async with OperationsServer("127.0.0.1", port, readiness), httpx.AsyncClient() as client:
        alive = await client.get(f"{url}/healthz")
        assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
        ready = await client.get(f"{url}/readyz")
        assert ready.status_code == 503
        assert ready.json() == {"status": "not ready", "missing": ["bundle"]}
        readiness.require("bundle", lambda: True)
        assert (await client.get(f"{url}/readyz")).json() == {"status": "ready", "missing": []}
        unknown = await client.get(f"{url}/")
        assert unknown.status_code == 404
        assert "/metrics" in unknown.json()["paths"]
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/healthz")


async def test_metrics_are_prometheus_text() -> None:
    (port,) = free_ports(1)
    to_dead_letter(Refusal(Record("events", 0, 0, 0, None, None), "test_of_metrics", ""))
    async with OperationsServer("127.0.0.1", port, Readiness()), httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    line = 'headrace_kafka_dead_letters_total{reason="test_of_metrics",topic="events"} 1.0'
    assert line in answer.text.splitlines()


async def test_a_taken_port_is_named_with_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            Unavailable, match=rf"port {port} of HEADRACE_METRICS_PORT.*Address already in use"
        ):
            await OperationsServer("127.0.0.1", port, Readiness()).__aenter__()
