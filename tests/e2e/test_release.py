"""A model of another width is released beside the live one, at noon, and taken back.

What is counted here at a low rate, `python -m bench.release` measures at 200 requests/s.
"""

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
from headrace.release.registry import Registry
from headrace.release.shares import chosen
from headrace.store.database import Database
from headrace.training.toy import make_toy_bundle
from tests.e2e.visitor import API_KEY, Visitor, until

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


def test_a_model_is_switched_and_taken_back_without_a_failed_or_mixed_list(
    visitor: Visitor, wider: Path
) -> None:
    system = visitor.system
    old = system.model_version
    visitor.send(
        [
            {
                "event_id": f"first-{user_id}-{item}",
                "user_id": user_id,
                "item_id": f"item-{item}",
                "type": "click",
            }
            for user_id in PEOPLE
            for item in range(3)
        ]
    )
    visitor.until_applied("person-", 3 * len(PEOPLE))
    said = release(system, "propose", str(wider), code=2)
    assert "is not in both manifests" in said
    with Traffic(visitor).going() as traffic:
        assert "proposed in slot green" in release(system, "propose", str(wider), "--force")
        release(system, "shadow", "100%")
        database = Database(system.database_url, 1)
        registry = Registry(database)
        candidate = registry.active().candidate
        assert candidate is not None
        new = candidate.model_version
        assert new != old
        release(system, "canary", "50%", "--wait", "60")
        candidate = registry.active().candidate
        assert candidate is not None
        until(lambda: new in traffic.versions(0.2), 30, "the canary makes lists")
        traffic.answers.clear()
        time.sleep(2)
        whose = dict(list(traffic.answers))
        assert len(whose) == len(traffic.answers), "somebody got lists of both"
        for user_id, model in whose.items():
            assert (model == new) == chosen(user_id, candidate.salt, 0.5), user_id

        release(system, "promote", "--wait", "60")
        until(lambda: traffic.versions(0.2) == {new}, 30, "everybody gets the new model")
        assert traffic.versions() == {new}
        report = release(system, "report")
        assert f"{new} for 50.00% of people" in report
        on_candidate = sum(chosen(user, candidate.salt, 0.5) for user in whose)
        counted = f"live {len(whose) - on_candidate}  candidate {on_candidate}  p="
        assert counted in report
        assert "WRONG SPLIT" not in report
        release(system, "rollback", "--reason", "as a rehearsal")
        until(lambda: traffic.versions(0.2) == {old}, 30, "everybody gets the old model again")
        assert traffic.versions() == {old}
        database.close()
    assert traffic.failures == []
    parts = {part.name for part in system.status()}
    until(
        lambda: not any(part.name.startswith("green_") for part in system.status()),
        30,
        f"one version is left in memory, of {parts}",
    )
    assert "as a rehearsal" in release(system, "status")
