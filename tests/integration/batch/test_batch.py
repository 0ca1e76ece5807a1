"""Lists of everybody, from a database alone."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from psycopg2.extras import execute_values
from pyroaring import BitMap

from headrace.api.ranker.v1.ranker_pb2 import PersonList
from headrace.batch.files import sha256
from headrace.batch.people import PeopleStore
from headrace.bundle import Bundle
from headrace.cli import main
from headrace.index.encoding import to_bytes
from headrace.store.database import Database
from headrace.training.toy import toy_items
from tests.bundles import another_version
from tests.conftest import KafkaServer
from tests.killed import kill_once

PEOPLE = 300
_DEADLINE_S = 120


@pytest.fixture
def stored(
    database: str, kafka: KafkaServer, toy_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Toy items, 300 people who saw three each, and one of whom nothing is known yet."""
    monkeypatch.setenv("HEADRACE_DATABASE_URL", database)
    monkeypatch.setenv("HEADRACE_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    bundle = Bundle.load(str(toy_bundle), ["item"])
    vectors, biases = bundle.items.encode(toy_items())
    random = np.random.default_rng(1)
    connection = psycopg2.connect(database)
    with connection, connection.cursor() as cursor:
        for item, vector, bias in zip(toy_items(), vectors, biases, strict=True):
            cursor.execute(
                "INSERT INTO items (item_id, title, description, categories, tags, attributes,"
                " revision) VALUES (%s, %s, '', %s, '{}', %s, 1) RETURNING ordinal",
                (item.item_id, item.title, list(item.categories), json.dumps(item.attributes)),
            )
            (ordinal,) = cursor.fetchone() or (0,)
            cursor.execute(
                "INSERT INTO item_vectors (model_version, ordinal, revision, vector, bias)"
                " VALUES (%s, %s, 1, %s, %s)",
                (bundle.model_version, ordinal, to_bytes(vector), float(bias)),
            )
        rows: list[tuple[object, ...]] = []
        for person in range(PEOPLE + 1):
            recent = random.integers(1, 61, 3).tolist() if person < PEOPLE else []
            vector = random.normal(size=bundle.user_width).astype(np.float32)
            seen = BitMap(recent).serialize()
            n = len(recent)
            user_id = f"p{person}"
            last = datetime.fromtimestamp(1_700_000_000 + person, UTC) if recent else None
            rows.append(
                (bundle.model_version, user_id, 0, n, b"", to_bytes(vector), recent, seen, [], last)
            )
        execute_values(
            cursor,
            "INSERT INTO user_states (model_version, user_id, epoch, n, state, vector,"
            " recent_ordinals, seen, recent_event_ids, last_occurred_at) VALUES %s",
            rows,
            template="(%s, %s, %s, %s, %s, %s, %s::integer[], %s, %s, %s)",
        )
    connection.close()
    return database


def batch(bundle: Path, out: Path, *more: str) -> int:
    return main(["batch", "--bundle", str(bundle), "--out", str(out), *more])


def rows_in(out: Path) -> list[tuple[str, int, str, float]]:
    files = sorted(out.glob("part-*.parquet"))
    table = pa.concat_tables([pq.read_table(file) for file in files])
    return sorted(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))


@pytest.mark.usefixtures("stored")
def test_everybody_gets_a_list_and_the_manifest_tells_of_it(
    toy_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert batch(toy_bundle, out, "--n", "5", "--part-users", "70") == 0
    rows = rows_in(out)
    assert len(rows) == 5 * PEOPLE
    assert {user_id for user_id, *_ in rows} == {f"p{person}" for person in range(PEOPLE)}
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["people"], manifest["rows"], manifest["n"]) == (PEOPLE, 5 * PEOPLE, 5)
    assert [part["sha256"] for part in manifest["parts"]] == [
        sha256(out / part["file"]) for part in manifest["parts"]
    ]
    assert not list(out.glob(".*"))


def test_killed_and_started_again_it_makes_the_same_files(
    stored: str, toy_bundle: Path, tmp_path: Path
) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    given = ["--part-users", "2"]
    command = [sys.executable, "-m", "headrace.cli", "batch", "--bundle", str(toy_bundle)]
    environment = {**os.environ, "HEADRACE_DATABASE_URL": stored}
    with subprocess.Popen([*command, "--out", str(killed), *given], env=environment) as victim:
        kill_once((killed / "part-00003.json").exists, victim, _DEADLINE_S)
    assert not (killed / "manifest.json").exists()
    before = (killed / "part-00003.parquet").stat().st_mtime_ns

    assert batch(toy_bundle, killed, *given) == batch(toy_bundle, whole, *given) == 0
    assert (killed / "part-00003.parquet").stat().st_mtime_ns == before
    assert rows_in(killed) == rows_in(whole)
    assert not list(killed.glob(".*"))
    assert len(rows_in(whole)) == 10 * PEOPLE


def assert_same_lists(one: Path, other: Path) -> None:
    """Parts of other sizes may differ in the last bits of a score: other sums, other rounding."""
    first, second = rows_in(one), rows_in(other)
    assert [row[:3] for row in first] == [row[:3] for row in second]
    assert [row[3] for row in first] == pytest.approx([row[3] for row in second], abs=1e-6)


@pytest.mark.usefixtures("stored")
def test_partitions_make_what_one_run_makes(toy_bundle: Path, tmp_path: Path) -> None:
    shared, whole = tmp_path / "shared", tmp_path / "whole"
    assert batch(toy_bundle, shared, "--part-users", "40", "--partition", "2/2") == 0
    assert not (shared / "manifest.json").exists()
    assert batch(toy_bundle, shared, "--part-users", "40", "--partition", "1/2") == 0
    assert batch(toy_bundle, whole) == 0
    assert_same_lists(shared, whole)
    assert (shared / "manifest.json").exists()


@pytest.mark.usefixtures("stored")
def test_two_workers_make_what_one_makes(toy_bundle: Path, tmp_path: Path) -> None:
    shared, whole = tmp_path / "shared", tmp_path / "whole"
    assert batch(toy_bundle, shared, "--part-users", "40", "--workers", "2") == 0
    assert batch(toy_bundle, whole) == 0
    assert_same_lists(shared, whole)


@pytest.mark.usefixtures("stored")
def test_ids_of_a_file_that_nobody_has_are_counted_and_written_aside(
    toy_bundle: Path, tmp_path: Path
) -> None:
    users, out = tmp_path / "users.txt", tmp_path / "out"
    users.write_text("p5\nnobody\n\np7\np5\np300\n")
    assert batch(toy_bundle, out, "--users", str(users), "--format", "csv") == 0
    table = pyarrow.csv.read_csv(out / "part-00000.csv")
    assert set(table["user_id"].to_pylist()) == {"p5", "p7"}
    assert (out / "part-00000.unknown.txt").read_text() == "nobody\np300\n"
    assert json.loads((out / "manifest.json").read_text())["unknown"] == 2


@pytest.mark.usefixtures("stored")
def test_since_a_moment_those_alone_who_did_something(toy_bundle: Path, tmp_path: Path) -> None:
    out, since = tmp_path / "out", datetime.fromtimestamp(1_700_000_290, UTC).isoformat()
    given = ["--part-users", "4", "--active-since", since]
    assert batch(toy_bundle, out, *given) == 0
    assert {user_id for user_id, *_ in rows_in(out)} == {f"p{n}" for n in range(290, PEOPLE)}
    assert batch(toy_bundle, out, "--part-users", "4") == 2  # another run's folder


@pytest.mark.usefixtures("stored")
def test_lists_on_a_topic_are_those_in_files(
    toy_bundle: Path,
    tmp_path: Path,
    kafka: KafkaServer,
    topic_prefix: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    topic = f"{topic_prefix}lists"
    assert batch(toy_bundle, tmp_path / "none", "--kafka-topic", topic) == 2
    assert f"Kafka has no topic '{topic}'" in capsys.readouterr().err

    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    admin.create_topics({topic: {"num_partitions": 1}}, wait_for_metadata=True)
    admin.close()
    assert batch(toy_bundle, tmp_path / "topic", "--kafka-topic", topic) == 0
    assert batch(toy_bundle, tmp_path / "files") == 0
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    lists: dict[str, PersonList] = {}
    until = time.monotonic() + 30
    while len(lists) < PEOPLE and time.monotonic() < until:
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                lists[record.key.decode()] = PersonList.FromString(record.value)
    consumer.close()
    sent = [
        (user_id, position, item.item_id, item.score)
        for user_id, one in lists.items()
        for position, item in enumerate(one.items, start=1)
    ]
    assert sorted(sent) == rows_in(tmp_path / "files")


@pytest.mark.usefixtures("stored")
def test_a_folder_of_other_lists_is_refused(
    toy_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert batch(toy_bundle, out) == 0
    assert batch(another_version(toy_bundle, tmp_path), out) == 2
    assert "plan.json: model_version is" in capsys.readouterr().err
    assert batch(toy_bundle, out, "--n", "11") == 2
    assert "n is 10, this run has 11; choose another folder" in capsys.readouterr().err
    taken = tmp_path / "taken"
    taken.write_text("not a folder")
    assert batch(toy_bundle, taken) == 2
    assert str(taken) in capsys.readouterr().err


def test_who_does_not_want_personal_lists_gets_none(stored: str, toy_bundle: Path) -> None:
    bundle = Bundle.load(str(toy_bundle), ["ranker"])
    database = Database(stored, 1)
    people = PeopleStore(database, bundle.model_version, bundle.user_width)
    assert people.named(["p3", "p4"]).user_ids.tolist() == ["p3", "p4"]
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO personalisation VALUES ('p3', false), ('p4', true)")
    assert people.named(["p3", "p4"]).user_ids.tolist() == ["p4"]
    assert "p3" not in people.between("p", None).user_ids
    database.close()


def test_nobody_is_offered_what_they_do_not_want(
    stored: str, toy_bundle: Path, tmp_path: Path
) -> None:
    with psycopg2.connect(stored) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT index_items(ARRAY(SELECT ordinal FROM items))")
        cursor.execute("SELECT ordinal FROM items WHERE item_id = 'item-5'")
        ((ordinal,),) = cursor.fetchall()
        cursor.execute(
            "UPDATE user_states SET unwanted = %s, unwanted_categories = '{comedy,nothing}'"
            " WHERE user_id = 'p1'",
            (BitMap([ordinal]).serialize(),),
        )
    assert batch(toy_bundle, tmp_path / "out", "--n", "200") == 0
    offered: dict[str, set[str]] = {"p1": set(), "p2": set()}
    for user_id, _, item_id, _ in rows_in(tmp_path / "out"):
        if user_id in offered:
            offered[user_id].add(item_id)
    comedies = {one.item_id for one in toy_items() if "comedy" in one.categories}
    assert not offered["p1"] & {*comedies, "item-5"}
    assert offered["p2"] & comedies
    assert len(offered["p1"]) > 20
