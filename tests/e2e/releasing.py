"""What tests of releases have in common: traffic meanwhile, the command, another model."""

import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from headrace.local.system import LocalSystem
from headrace.training.toy import make_toy_bundle
from tests.e2e.visitor import API_KEY, Visitor, until

PEOPLE = [f"person-{number}" for number in range(24)]
LOOKING = PEOPLE[::4]
"""Those who ask for lists, by turns."""
# Between two lists, and two clicks: the machine may be busy.
_PAUSE_S = 0.02
_TURN_S = 60.0


class Traffic:
    """People who look and click until they are told to stop. strangers: look beside them, each
    once."""

    def __init__(self, visitor: Visitor, strangers: int = 0) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()  # by person and model
        self.failures: list[str] = []
        self._visitor = visitor
        self._strangers = strangers
        self._stop = threading.Event()

    @contextmanager
    def going(self) -> Iterator["Traffic"]:
        threads = [
            threading.Thread(target=self._again_and_again, args=(one,))
            for one in (self._look, self._click)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def turn(self, turns: int = 1) -> Counter[tuple[str, str]]:
        """The lists from now on, until everybody who looks has got so many. None fails."""
        before = self.answers.copy()
        new: Counter[tuple[str, str]] = Counter()

        def everybody() -> bool:
            new.clear()
            new.update(self.answers.copy() - before)
            told = Counter(user_id for user_id, _ in new.elements())
            return bool(self.failures) or all(told[user_id] >= turns for user_id in LOOKING)

        until(everybody, _TURN_S, f"everybody got {turns} lists")
        assert self.failures == []
        return new

    def versions(self, turns: int = 1) -> set[str]:
        """Whose lists everybody gets next."""
        return {model for _, model in self.turn(turns)}

    def _again_and_again(self, one: Callable[[httpx.Client, int], None]) -> None:
        with httpx.Client(
            base_url=self._visitor.system.http_url,
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=10,
        ) as http:
            for number in count():
                if self._stop.wait(_PAUSE_S):
                    return
                try:
                    one(http, number)
                except httpx.HTTPError as error:
                    self.failures.append(f"{one.__name__}: {error!r}")

    def _look(self, http: httpx.Client, _number: int) -> None:
        strangers = [f"stranger-{uuid.uuid4().hex}" for _ in range(self._strangers)]
        for user_id in (*LOOKING, *strangers):
            answer = http.get(f"/v1/users/{user_id}/recommendations", params={"n": 10})
            body = answer.json()
            if answer.status_code != httpx.codes.OK or body.get("degraded"):
                self.failures.append(answer.text)
            else:
                self.answers[user_id, body["model_version"]] += 1

    def _click(self, http: httpx.Client, number: int) -> None:
        event = {
            "event_id": uuid.uuid4().hex,
            "user_id": PEOPLE[number % len(PEOPLE)],
            "item_id": f"item-{number % 60}",
            "type": "click",
        }
        answer = http.post("/v1/events", json={"events": [event]})
        if answer.status_code != httpx.codes.ACCEPTED:
            self.failures.append(answer.text)


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


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The machine may be busy; what is tested here is not how fast it is."""
    return {
        "HEADRACE_RANKER_DEADLINE_MS": "10000",
        "HEADRACE_USER_EMBEDDING_TIMEOUT_MS": "4000",
    }


@pytest.fixture(scope="module")
def wider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wider") / "bundle"
    make_toy_bundle(folder, width=24, seed=1)
    return folder
