"""Kafka, Postgres and stand-ins for the services, under one roof."""

import http.client
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from kafka import KafkaAdminClient

from headrace.local.errors import StartFailed
from headrace.local.ports import Ports
from headrace.local.supervised import State
from headrace.local.system import SERVICES, LocalSystem
from headrace.local.waiting import wait_until
from tests.integration.local.system_on_stand_ins import stand_ins


def pretended_bundle(folder: Path) -> Path:
    """As much of a bundle as the supervisor reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"model_version": "m1"}))
    return folder


@pytest.fixture(scope="module")
def system(server_folder: Path) -> Iterator[LocalSystem]:
    home = server_folder / "home"
    ports = Ports.free()
    bundle = pretended_bundle(home / "bundles" / "demo")
    with LocalSystem(home, ports, bundle, api_key="k", command_of=stand_ins(ports)) as system:
        yield system


def environment_of(system: LocalSystem, service: str) -> dict[str, Any]:
    port = getattr(system.ports, f"{service}_metrics")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/environment")
    known: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return known


def topics(system: LocalSystem) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=system.kafka_bootstrap_servers)
    names = set(admin.list_topics())
    admin.close()
    return names


def tables(system: LocalSystem) -> set[str]:
    connection = psycopg2.connect(system.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = {name for (name,) in cursor.fetchall()}
    connection.close()
    return names


def test_everything_is_ready_with_schema_and_topics(system: LocalSystem) -> None:
    assert [part.name for part in system.status()] == ["postgres", "kafka", *SERVICES]
    assert {part.state for part in system.status()} == {State.READY}
    assert {"events", "interactions", "item-vectors.m1", "user-vectors.m1"} <= topics(system)
    assert {"interactions", "user_states", "imports"} <= tables(system)


def test_services_are_told_where_everything_is(system: LocalSystem) -> None:
    for service in SERVICES:
        told = environment_of(system, service)
        assert told["HEADRACE_KAFKA_BOOTSTRAP_SERVERS"] == system.kafka_bootstrap_servers
        assert told["HEADRACE_DATABASE_URL"] == system.database_url
        assert told["HEADRACE_BUNDLE_URL"] == str(system.bundle)
        assert told["HEADRACE_RANKER_ADDRESS"] == system.grpc_address("ranker")


def test_only_the_gateway_is_told_the_key(system: LocalSystem) -> None:
    holders = [name for name in SERVICES if "HEADRACE_API_KEYS" in environment_of(system, name)]
    assert holders == ["gateway"]
    assert environment_of(system, "gateway")["HEADRACE_API_KEYS"] == (
        "k:events+read+catalogue+admin"
    )


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_infrastructure_that_dies_comes_back_with_its_data(system: LocalSystem, name: str) -> None:
    before = (topics(system), tables(system))
    pid = system.pid(name)
    assert pid is not None
    psutil.Process(pid).send_signal(signal.SIGKILL)
    assert wait_until(lambda: system.pid(name) not in (None, pid), seconds=30)
    assert system.wait_ready(seconds=60)
    assert (topics(system), tables(system)) == before


def test_what_was_stopped_on_purpose_waits_for_its_start(system: LocalSystem) -> None:
    assert system.terminate("ranker") == 0
    system.kill("postgres")
    assert system.pid("postgres") is None
    system.start("postgres", "ranker")
    assert system.wait_ready(seconds=60)


def test_a_system_starts_again_on_its_data(system: LocalSystem) -> None:
    pids = [part.pid for part in system.status()]
    system.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids if pid is not None)
    system.start()
    assert system.wait_ready(seconds=60)


def test_a_service_that_cannot_start_is_reported_with_its_log(
    server_folder: Path, system: LocalSystem
) -> None:
    ports = Ports.free()
    broken = LocalSystem(
        server_folder / "broken-home",
        ports,
        system.bundle,
        api_key="k",
        kafka_bootstrap_servers=system.kafka_bootstrap_servers,
        database_url=system.database_url,
        command_of=lambda name: [*stand_ins(ports)(name)[:3], "refuses-to-start"],
    )
    with pytest.raises(StartFailed, match=r"ended with code 1(.|\n)*must be a number"):
        broken.start()
    broken.stop()
