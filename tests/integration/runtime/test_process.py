"""A process checks its settings, stops gently, and says by its exit code how it ended."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from headrace.local.ports import free_ports
from headrace.local.waiting import wait_until


@contextmanager
def tiny_service(**settings: str) -> Iterator[subprocess.Popen[str]]:
    variables = {f"HEADRACE_{name.upper()}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.runtime.tiny_service"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], **variables},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _ended(process: subprocess.Popen[str]) -> tuple[int, str, list[dict[str, Any]]]:
    """Exit code, the rest of standard output, and the log."""
    output, errors = process.communicate(timeout=30)
    return process.returncode, output, [json.loads(line) for line in errors.splitlines()]


def _says(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"


def _readiness(port: str) -> list[str]:
    """What is missing."""
    answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10)
    missing: list[str] = answer.json()["missing"]
    assert answer.status_code == (503 if missing else 200)
    return missing


@pytest.fixture
def port() -> str:
    return str(free_ports(1)[0])


def test_wrong_settings_end_it_with_2_and_a_line_for_each() -> None:
    with tiny_service(log_level="LOUD", shutdown_grace_s="-1") as process:
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 2
        head, *lines = errors.splitlines()
        assert head == "tiny: settings are wrong"
        assert len(lines) == 3
        assert "HEADRACE_METRICS_PORT is not set, and has no default" in lines
        assert any(line.startswith("HEADRACE_LOG_LEVEL='LOUD': ") for line in lines)
        assert any(line.startswith("HEADRACE_SHUTDOWN_GRACE_S='-1': ") for line in lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_it_and_ends_it_with_0(port: str, number: signal.Signals) -> None:
    with tiny_service(metrics_port=port) as process:
        _says(process, "ready")
        process.send_signal(number)
        code, output, log = _ended(process)
        assert code == 0
        assert output == "closed\n"
        assert [line["message"] for line in log] == ["started", "stopping", "drained", "stopped"]
        assert log[2]["pid"] == process.pid
        assert {line["service"] for line in log} == {"tiny"}


def test_a_signal_while_it_starts_ends_it_with_0(port: str) -> None:
    with tiny_service(metrics_port=port, behaviour="hang at start") as process:
        _says(process, "starting")
        process.send_signal(signal.SIGTERM)
        code, output, log = _ended(process)
        assert code == 0
        assert output == "closed\n"
        assert [line["message"] for line in log] == ["stopped while starting", "stopped"]


def test_a_part_that_dies_ends_it_with_1(port: str) -> None:
    with tiny_service(metrics_port=port, behaviour="fail") as process:
        _says(process, "ready")
        code, output, log = _ended(process)
        assert code == 1
        assert output == "closed\n"
        assert log[-1]["level"] == "CRITICAL"
        assert "the consumer died" in log[-1]["exception"]


def test_what_is_away_at_start_ends_it_with_1_and_one_line(port: str) -> None:
    with tiny_service(metrics_port=port, behaviour="fail at start") as process:
        code, _, log = _ended(process)
        assert code == 1
        assert [line["message"] for line in log] == ["Postgres did not answer"]


def test_a_taken_metrics_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        with tiny_service(metrics_port=taken) as process:
            code, _, log = _ended(process)
    assert code == 1
    assert f"port {taken} of HEADRACE_METRICS_PORT cannot be opened" in log[-1]["message"]


def test_it_is_not_ready_before_its_start_is_over(port: str) -> None:
    with tiny_service(metrics_port=port, behaviour="hang at start") as process:
        _says(process, "starting")
        assert _readiness(port) == ["started"]


def test_operators_can_ask_it(port: str) -> None:
    with tiny_service(metrics_port=port) as process:
        _says(process, "ready")
        assert wait_until(lambda: _readiness(port) == [], 10)
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
        assert "process_resident_memory_bytes" in metrics
