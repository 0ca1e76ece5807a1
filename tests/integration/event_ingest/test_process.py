"""The process as it is deployed: starts, is killed, stops as it is asked to."""

import os
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.local.child import Child, Command
from headrace.local.ports import free_ports
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.topics import EVENTS, create_topics
from tests.conftest import KafkaServer
from tests.integration.event_ingest.world import Postgres, event_record
from tests.integration.runtime.kafka_world import publish

SECONDS = 60  # a member that was killed keeps its partitions for 10 s


class Service:
    """`python -m services.event_ingest`, once or more times."""

    def __init__(self, bootstrap_servers: str, dsn: str, log_file: Path) -> None:
        (self._port,) = free_ports(1)
        self._command = Command(
            argv=[sys.executable, "-m", "services.event_ingest"],
            log_file=log_file,
            env={
                **os.environ,
                "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
                "HEADRACE_DATABASE_URL": dsn,
                "HEADRACE_METRICS_PORT": str(self._port),
            },
        )
        self.child = Child(self._command)

    def start_again(self) -> None:
        self.child = Child(self._command)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz") as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics") as answer:
            return str(answer.read().decode())


@pytest.fixture
def running(kafka: KafkaServer, database: str, tmp_path: Path) -> Iterator[Service]:
    create_topics(kafka.bootstrap_servers, "v1")
    service = Service(kafka.bootstrap_servers, database, tmp_path / "event_ingest.log")
    yield service
    if service.child.exit_code is None:
        service.child.kill()


def test_killed_in_the_middle_of_3000_events_it_stores_each_once_and_stops_in_order(
    running: Service, publisher: Publisher, store: Postgres
) -> None:
    store.add_item("kettle")
    users = [f"{uuid.uuid4().hex}-{number}" for number in range(30)]
    records = [event_record(EVENTS, f"e{at}", users[at % 30]) for at in range(3_000)]
    assert wait_until(running.ready, SECONDS), running.child.last_log_lines()

    publish(publisher, records[:1_500])
    assert wait_until(lambda: store.count("interactions") > 0, SECONDS)
    running.child.kill()
    publish(publisher, records[1_500:])
    running.start_again()

    def all_stored() -> bool:
        return sum(len(store.log_of(user)) for user in users) == 3_000

    assert wait_until(all_stored, SECONDS), running.child.last_log_lines()
    for number, user in enumerate(users):
        assert store.log_of(user) == [f"e{at}" for at in range(number, 3_000, 30)]
    assert wait_until(running.ready, SECONDS)
    assert "headrace_events_waiting_for_item 0.0" in running.metrics()
    assert running.child.stop(10) == 0


def test_without_its_settings_it_says_which_and_exits_2(tmp_path: Path) -> None:
    child = Child(
        Command(
            argv=[sys.executable, "-m", "services.event_ingest"],
            log_file=tmp_path / "event_ingest.log",
            env={
                name: value for name, value in os.environ.items() if not name.startswith("HEADRACE")
            },
        )
    )
    assert child.wait(SECONDS)
    assert child.exit_code == 2
    assert "HEADRACE_DATABASE_URL is not set" in child.last_log_lines()
