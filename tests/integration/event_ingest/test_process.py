"""The process as it is deployed: starts, is killed, stops as it is asked to."""

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.api.impressions.v1.impressions_pb2 import Impression, ServedList, ServedLists
from headrace.local.child import Child, Command
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import EVENTS, IMPRESSIONS, create_topics
from tests.conftest import KafkaServer
from tests.integration.event_ingest.world import Postgres, event_record
from tests.integration.runtime.kafka_world import publish
from tests.service_process import DEADLINE_S, ServiceProcess


@pytest.fixture
def running(kafka: KafkaServer, database: str, tmp_path: Path) -> Iterator[ServiceProcess]:
    create_topics(kafka.bootstrap_servers, "v1")
    service = ServiceProcess(
        "event_ingest",
        tmp_path / "event_ingest.log",
        {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "DATABASE_URL": database},
    )
    service.start()
    yield service
    service.close()


def test_killed_in_the_middle_of_3000_events_it_stores_each_once_and_stops_in_order(
    running: ServiceProcess, publisher: Publisher, store: Postgres
) -> None:
    store.add_item("kettle")
    users = [f"{uuid.uuid4().hex}-{number}" for number in range(30)]
    records = [event_record(EVENTS, f"e{at}", users[at % 30]) for at in range(3_000)]
    running.wait_ready()
    shown = ServedList(user_id=users[0], impressions=[Impression(item_id="kettle")])
    shown.served_at.GetCurrentTime()
    lists = Outgoing(IMPRESSIONS, b"", ServedLists(lists=[shown]).SerializeToString())

    publish(publisher, [*records[:1_500], lists])
    assert wait_until(lambda: store.count("interactions") > 0, DEADLINE_S)
    running.child.kill()
    publish(publisher, records[1_500:])
    running.start()

    def all_stored() -> bool:
        return sum(len(store.log_of(user)) for user in users) == 3_000

    assert wait_until(all_stored, DEADLINE_S), running.child.last_log_lines()
    for number, user in enumerate(users):
        assert store.log_of(user) == [f"e{at}" for at in range(number, 3_000, 30)]
    assert wait_until(lambda: store.count("served_lists") == 1, DEADLINE_S)
    running.wait_ready()
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
    assert child.wait(DEADLINE_S)
    assert child.exit_code == 2
    assert "HEADRACE_DATABASE_URL is not set" in child.last_log_lines()
