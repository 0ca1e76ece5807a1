"""The README, played as it stands: `make run`'s own command, then each line of the tour."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import httpx
import pytest

from headrace.local.ports import Ports

CHECKOUT = Path(__file__).parents[2]
START_LIMIT_S = 600


@dataclass(frozen=True)
class Running:
    """A system that `make run` would have started, on ports of its own."""

    home: Path
    ports: Ports
    printed: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.gateway_http}"

    def here(self, lines: str) -> str:
        """Lines of the README, for where this system listens and keeps its data."""
        return (
            lines.replace("http://127.0.0.1:8080", self.url)
            .replace("127.0.0.1:50051", f"127.0.0.1:{self.ports.gateway_grpc}")
            .replace(".headrace/", f"{self.home}/")
        )


@pytest.fixture(scope="module")
def running(server_folder: Path) -> Iterator[Running]:
    """From nothing: trains, starts, imports the catalogue and replays the history."""
    home, ports = server_folder / "readme", Ports.free()
    environment = {
        **os.environ,
        "HEADRACE_HOME": str(home),
        **{Ports.setting(port.name): str(getattr(ports, port.name)) for port in fields(Ports)},
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "headrace.local.run"],
        env=environment,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(START_LIMIT_S, process.kill)
    watchdog.start()
    printed = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            printed += line
            if line.startswith("Ctrl-C stops"):
                break
        assert "Headrace is ready." in printed, printed
        # What it prints from now on must not fill the pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield Running(home, ports, printed)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        watchdog.cancel()
        process.kill()


def tour(language: str) -> list[str]:
    """The README's blocks of one language that are marked as part of the tour."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"<!-- tour[^>]*-->\n```{language}\n(.*?)```", text, re.DOTALL)


def answers(running: Running, block: str) -> list[dict[str, Any]]:
    """What the curl lines of a block print: one JSON document each."""
    block = f"export KEY=$(cat {running.home}/api_key)\n{block}"
    # Between two answers curl prints nothing, so have it end each with a newline.
    script = running.here(block).replace("curl -s ", r"curl -s -w '\n' ")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def test_the_run_prints_the_key_on_a_line_of_its_own(running: Running) -> None:
    (key,) = re.findall(r"^API key: (\S+)$", running.printed, re.MULTILINE)
    assert key == (running.home / "api_key").read_text(encoding="utf-8").strip()


def test_a_click_changes_the_next_list(running: Running) -> None:
    before, accepted, after = answers(running, tour("bash")[0])
    assert accepted == {"event_ids": ["my-first-click"]}
    assert after["after"] == {"event_id": "my-first-click", "status": "applied"}
    assert after["as_of"] > before["as_of"]
    assert before["degraded"] is None
    assert after["degraded"] is None
    scores = [
        [(item["item_id"], item["score"]) for item in body["items"]] for body in (before, after)
    ]
    assert len(scores[0]) == len(scores[1]) == 5
    assert scores[0] != scores[1]


def test_the_rest_of_the_tour_answers(running: Running) -> None:
    comedies, stored, visit, similar = answers(running, tour("bash")[1])
    assert [("Comedy" in item["categories"]) for item in comedies["items"]] == [True] * 3
    assert stored == {"item_id": "my-film", "revision": 1}
    assert len(visit["items"]) == 3
    assert len(similar["items"]) == 3


def test_the_python_lines_print_titles(running: Running) -> None:
    (block,) = tour("python")
    done = subprocess.run(
        [sys.executable, "-c", running.here(block)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert len(eval(done.stdout)) == 5  # a list of titles, as print shows it


def test_the_documentation_is_served(running: Running) -> None:
    assert httpx.get(f"{running.url}/docs").status_code == httpx.codes.OK
    paths = httpx.get(f"{running.url}/openapi.json").json()["paths"]
    assert "/v1/events" in paths
