"""`make run`, from its first line to Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from headrace.local.waiting import wait_until

PROGRAM = Path(__file__).with_name("system_on_stand_ins.py")
ROOT = Path(__file__).parents[3]


@contextmanager
def running(home: Path, bundle: Path) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """The program and what it printed until it was ready."""
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), str(home), str(bundle)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if "Ctrl-C stops it" in line:
                break
        try:
            yield process, lines
        finally:
            if process.poll() is None:
                process.kill()


def offspring(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 7  # Kafka, Postgres and its helpers, five services
    return children


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_it_exits_with_0(
    server_folder: Path, toy_bundle: Path, number: signal.Signals
) -> None:
    with running(server_folder / "run-home", toy_bundle) as (process, lines):
        assert any(line.startswith("API key: hr_") for line in lines)
        children = offspring(process)
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
    assert not any(child.is_running() for child in children)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent")
def test_nothing_outlives_a_supervisor_that_is_killed_and_the_data_does(
    server_folder: Path, toy_bundle: Path
) -> None:
    home = server_folder / "killed-home"
    with running(home, toy_bundle) as (process, lines):
        children = offspring(process)
        process.kill()
    assert wait_until(lambda: not any(child.is_running() for child in children), seconds=30)
    with running(home, toy_bundle) as (process, again):
        assert key(again) == key(lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def key(lines: list[str]) -> str:
    return next(line for line in lines if line.startswith("API key: "))


def test_a_taken_port_ends_the_start_with_its_name_and_variable(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "headrace.local.run", "--no-demo"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "HEADRACE_HOME": str(tmp_path),
                "HEADRACE_GATEWAY_HTTP_PORT": port,
            },
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port}, wanted by gateway http, is taken" in done.stdout
    assert "HEADRACE_GATEWAY_HTTP_PORT" in done.stdout


def test_a_port_that_is_none_is_refused_before_anything_starts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "headrace.local.run"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "HEADRACE_HOME": str(tmp_path), "HEADRACE_RANKER_GRPC_PORT": "many"},
        check=False,
    )
    assert done.returncode == 2
    assert "HEADRACE_RANKER_GRPC_PORT=many: must be a number" in done.stdout
