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

from headrace.api.ranker.v1.ranker_pb2 import SOURCE_RETRIEVAL, PersonList
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


Row = tuple[str, int, str, float, str, bool]


def rows_in(out: Path) -> list[Row]:
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
def test_two_workers_make_what_one_makes_and_tell_how_far_they_are_together(
    toy_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared, whole = tmp_path / "shared", tmp_path / "whole"
    assert batch(toy_bundle, shared, "--part-users", "40", "--workers", "2") == 0
    *progress, end = capsys.readouterr().err.splitlines()
    assert progress[-1].startswith("8 of 8 parts, 300 people, ")
    assert end.startswith("300 people, 3,000 rows in 8 files")
    assert batch(toy_bundle, whole) == 0
    assert_same_lists(shared, whole)


@pytest.mark.usefixtures("stored")
def test_ids_of_a_file_that_nobody_has_are_counted_and_written_aside(
    toy_bundle: Path, tmp_path: Path
) -> None:
    users, out = tmp_path / "users.txt", tmp_path / "out"
    users.write_text("p5\nnobody\n\np7\np5\np300\n")
    given = ["--users", str(users), "--format", "csv", "--no-general-lists"]
    assert batch(toy_bundle, out, *given) == 0
    table = pyarrow.csv.read_csv(out / "part-00000.csv")
    assert set(table["user_id"].to_pylist()) == {"p5", "p7"}
    assert (out / "part-00000.unknown.txt").read_text() == "nobody\np300\n"
    manifest = json.loads((out / "manifest.json").read_text())
    assert [manifest[name] for name in ("people", "not_personal", "unknown")] == [2, 0, 2]


def test_who_has_no_personal_list_gets_what_is_trending_and_popular(
    stored: str, toy_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg2.connect(stored) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO item_minute_counts (item_ordinal, minute, events)"
            " SELECT ordinal, date_trunc('minute', now()), ordinal FROM items"
            " WHERE item_id IN ('item-3', 'item-9')"
        )
        cursor.execute("INSERT INTO personalisation VALUES ('p3', false)")
    users, out = tmp_path / "users.txt", tmp_path / "out"
    users.write_text("nobody\np2\np3\np300\n")
    assert batch(toy_bundle, out, "--users", str(users), "--n", "4") == 0
    assert "3 lists are general, 2 ids unknown" in capsys.readouterr().err
    lists: dict[str, list[Row]] = {}
    for row in rows_in(out):
        lists.setdefault(row[0], []).append(row)
    assert [(row[4], row[5]) for row in lists["p2"]] == [("retrieval", True)] * 4
    for user_id in ("nobody", "p3", "p300"):
        assert [row[2] for row in lists[user_id]][:2] == ["item-9", "item-3"]
        assert [row[4] for row in lists[user_id]] == ["trending", "trending", "popular", "popular"]
        assert not any(row[5] for row in lists[user_id])
    assert (out / "part-00000.unknown.txt").read_text() == "nobody\np300\n"
    everybody = tmp_path / "everybody"
    assert batch(toy_bundle, everybody) == 0
    assert {row[0] for row in rows_in(everybody) if not row[5]} == {"p3"}


@pytest.mark.usefixtures("stored")
def test_since_a_moment_those_alone_who_did_something(toy_bundle: Path, tmp_path: Path) -> None:
    out, since = tmp_path / "out", datetime.fromtimestamp(1_700_000_290, UTC).isoformat()
    given = ["--part-users", "4", "--active-since", since]
    assert batch(toy_bundle, out, *given) == 0
    assert {user_id for user_id, *_ in rows_in(out)} == {f"p{n}" for n in range(290, PEOPLE)}
    assert batch(toy_bundle, out, "--part-users", "4") == 2  # another run's folder


def test_a_segment_is_counted_once_for_a_folder(
    stored: str, toy_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg2.connect(stored) as connection, connection.cursor() as cursor:
        # The later, the more: p0 once, p9 ten times.
        cursor.execute(
            "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type, occurred_at,"
            " backfill, body_hash)"
            " SELECT 'p' || p, n, p || '-' || n, 1, 2, now() - make_interval(days => 10 - p),"
            " false, '' FROM generate_series(0, 9) AS p, generate_series(0, p) AS n"
        )
    out = tmp_path / "out"
    given = ["--segment", "best", "--part-users", "2"]
    assert batch(toy_bundle, out, *given) == 0
    before = rows_in(out)
    assert {user_id for user_id, *_ in before} == {"p6", "p7", "p8", "p9"}
    assert json.loads((out / "manifest.json").read_text())["segment"] == "best"

    with psycopg2.connect(stored) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM interactions WHERE user_id IN ('p8', 'p9')")
    (out / "part-00001.json").unlink()
    assert batch(toy_bundle, out, *given) == 0
    assert rows_in(out) == before

    assert batch(toy_bundle, out, "--segment", "lost") == 2
    assert "segment is 'best', this run has 'lost'" in capsys.readouterr().err
    assert batch(toy_bundle, tmp_path / "none", "--segment", "loyal") == 0
    assert json.loads((tmp_path / "none" / "manifest.json").read_text())["people"] == 0


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
        (user_id, position, item.item_id, item.score, "retrieval", one.n_applied == 3)
        for user_id, one in lists.items()
        for position, item in enumerate(one.items, start=1)
    ]
    assert sorted(sent) == rows_in(tmp_path / "files")
    assert {item.source for one in lists.values() for item in one.items} == {SOURCE_RETRIEVAL}
    assert lists["p7"].as_of.seconds == 1_700_000_007


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


def test_who_does_not_want_personal_lists_gets_no_personal_one(
    stored: str, toy_bundle: Path
) -> None:
    bundle = Bundle.load(str(toy_bundle), ["ranker"])
    database = Database(stored, 1)
    every = PeopleStore(database, bundle.model_version, bundle.user_width)
    personal = PeopleStore(database, bundle.model_version, bundle.user_width, general=False)
    assert every.named(["p3", "p4"])[0].n.tolist() == [3, 3]
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO personalisation VALUES ('p3', false), ('p4', true)")
    assert every.named(["p3", "p4"])[0].n.tolist() == [0, 3]
    assert every.named(["p3", "p4", "p5"])[0].seen[0] == BitMap()
    assert personal.named(["p3", "p4"])[0].user_ids.tolist() == ["p4"]
    assert "p3" not in personal.between("p", None).user_ids
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
    for user_id, _, item_id, *_ in rows_in(tmp_path / "out"):
        if user_id in offered:
            offered[user_id].add(item_id)
    comedies = {one.item_id for one in toy_items() if "comedy" in one.categories}
    assert not offered["p1"] & {*comedies, "item-5"}
    assert offered["p2"] & comedies
    assert len(offered["p1"]) > 20
