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
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from headrace.local.ports import Ports
from tests.e2e.browsing import assert_nobody_is_kept_out

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
        # For the example that is a page of another origin, served on any port.
        "HEADRACE_CORS_ORIGINS": "*",
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


def example(running: Running, *command: str) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, *command],
        env={
            **os.environ,
            "HEADRACE_API_KEY": (running.home / "api_key").read_text(encoding="utf-8").strip(),
            "HEADRACE_ADDRESS": f"127.0.0.1:{running.ports.gateway_grpc}",
        },
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_backend_on_plain_grpc_shows_a_list_before_and_after_a_click(running: Running) -> None:
    before, after = example(running, "examples/grpc_backend.py", "a-shopper", "50").split("after:")
    titles = [[line.strip() for line in part.splitlines()[1:]] for part in (before, after)]
    assert [len(part) for part in titles] == [5, 5]
    assert titles[0] != titles[1]


def test_the_page_of_another_origin_shows_a_list_that_has_the_click(
    running: Running, browser: Browser
) -> None:
    pages = partial(SimpleHTTPRequestHandler, directory=str(CHECKOUT / "examples" / "web"))
    with ThreadingHTTPServer(("127.0.0.1", 0), pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/?gateway={running.url}")
        expect(page.get_by_role("region", name="For you").get_by_role("button")).to_have_count(6)
        expect(page.get_by_text("Nothing is known of you yet.")).to_be_visible()
        assert_nobody_is_kept_out(page)
        # The first click of all may be on its way longer than a list waits for it.
        popular = page.get_by_role("region", name="Liked by many").get_by_role("button")
        for place in range(3):
            popular.nth(place).click()
        expect(page.get_by_text("The list below knows your last click.")).to_be_visible()
        page.close()
        server.shutdown()


def test_a_catalogue_from_a_file_is_in_lists(running: Running) -> None:
    printed = example(running, "examples/books.py")
    assert "stored 16, refused 0" in printed
    assert "did you mean: frankenstein ['Frankenstein']" in printed
    assert "Books > Horror: 5" in printed
    (many,) = re.findall(r"^somebody new: (.*)$", printed, re.MULTILINE)
    assert len(eval(many)) == 3


def test_the_documentation_is_served(running: Running) -> None:
    assert httpx.get(f"{running.url}/docs").status_code == httpx.codes.OK
    paths = httpx.get(f"{running.url}/openapi.json").json()["paths"]
    assert "/v1/events" in paths
