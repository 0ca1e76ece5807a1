"""What tests of releases have in common: traffic meanwhile, the command, another model."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from headrace.local.system import LocalSystem
from headrace.training.toy import make_toy_bundle
from tests.e2e.visitor import API_KEY, Visitor

PEOPLE = [f"person-{number}" for number in range(24)]
# Between two lists, and two clicks: the machine may be busy.
_PAUSE_S = 0.02


class Traffic:
    """People who look and click until they are told to stop."""

    def __init__(self, visitor: Visitor) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()  # by person and model
        self.failures: list[str] = []
        self.versions_now: set[str] = set()
        self._visitor = visitor
        self._stop = threading.Event()

    @contextmanager
    def going(self) -> Iterator["Traffic"]:
        threads = [threading.Thread(target=self._look), threading.Thread(target=self._click)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def versions(self, seconds: float = 1.0) -> set[str]:
        """Of the lists that are answered from now on, for a while."""
        self.versions_now = set()
        time.sleep(seconds)
        return set(self.versions_now)

    def _look(self) -> None:
        with httpx.Client(
            base_url=self._visitor.system.http_url,
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=10,
        ) as http:
            while not self._stop.wait(_PAUSE_S):
                for user_id in PEOPLE[:: len(PEOPLE) // 6]:
                    self._listed(http, user_id)

    def _listed(self, http: httpx.Client, user_id: str) -> None:
        answer = http.get(f"/v1/users/{user_id}/recommendations", params={"n": 10})
        body = answer.json()
        if answer.status_code != httpx.codes.OK or body.get("degraded"):
            self.failures.append(answer.text)
            return
        self.answers[user_id, body["model_version"]] += 1
        self.versions_now.add(body["model_version"])

    def _click(self) -> None:
        number = 0
        while not self._stop.wait(_PAUSE_S):
            number += 1
            event = {
                "event_id": f"late-{number}",
                "user_id": PEOPLE[number % len(PEOPLE)],
                "item_id": f"item-{number % 60}",
                "type": "click",
            }
            self._visitor.send([event])


def release(system: LocalSystem, *arguments: str, code: int = 0) -> str:
    """Runs `headrace release` as an operator does; returns what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "headrace.cli", "release", *arguments],
        env={
            "PATH": "",
            "HEADRACE_DATABASE_URL": system.database_url,
            "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": system.kafka_bootstrap_servers,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """The machine may be busy; what is tested here is not how fast it is. Before the system, which
    is told by its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_RANKER_DEADLINE_MS", "10000")
        patch.setenv("HEADRACE_USER_EMBEDDING_TIMEOUT_MS", "4000")
        yield


@pytest.fixture(scope="module")
def wider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wider") / "bundle"
    make_toy_bundle(folder, width=24, seed=1)
    return folder
