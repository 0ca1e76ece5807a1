"""What the Jobs run, as they run it: on a Postgres without a schema, on a Kafka without topics."""

import os
import subprocess
import sys
from pathlib import Path

from kafka import KafkaAdminClient

from headrace.local.ports import free_ports
from headrace.runtime.topics import topic_specs
from tests.bundles import another_version
from tests.conftest import KafkaServer


def _run(module: str, **variables: str) -> subprocess.CompletedProcess[str]:
    given = {f"HEADRACE_{name.upper()}": value for name, value in variables.items()}
    inherited = {name: v for name, v in os.environ.items() if not name.startswith("HEADRACE_")}
    return subprocess.run(
        [sys.executable, "-m", module],
        env={**inherited, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_migrate_makes_the_schema_and_a_second_time_finds_it(empty: str, tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text(empty)
    first = _run("headrace.store.migrate", database_url_file=str(secret))
    again = _run("headrace.store.migrate", database_url_file=str(secret))
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "applied 0001_log.sql" in first.stdout
    assert again.stdout == "the schema is present\n"


def test_migrate_fails_without_a_secret_in_its_words_where_postgres_is_away() -> None:
    (port,) = free_ports(1)
    away = _run(
        "headrace.store.migrate", database_url=f"postgresql://u:hush-hush@127.0.0.1:{port}/d"
    )
    assert away.returncode == 1
    assert "Postgres did not answer" in away.stderr
    assert "hush-hush" not in away.stderr + away.stdout


def test_create_topics_makes_those_of_the_bundle(
    kafka: KafkaServer, toy_bundle: Path, tmp_path: Path
) -> None:
    bundle = another_version(toy_bundle, tmp_path)
    variables = {
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "bundle_url": str(bundle),
        "topic_partitions": "3",
    }
    first = _run("headrace.runtime.create_topics", **variables)
    assert first.returncode == 0, first.stderr
    again = _run("headrace.runtime.create_topics", **variables)
    assert again.stdout == f"the topics of model {bundle.name} are present\n"
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    try:
        partitions = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    finally:
        admin.close()
    assert {spec.name for spec in topic_specs(bundle.name, 3)} <= partitions.keys()
    assert partitions[f"user-vectors.{bundle.name}"] == 3


def test_create_topics_names_the_setting_that_is_wrong(tmp_path: Path) -> None:
    wrong = _run(
        "headrace.runtime.create_topics",
        kafka_bootstrap_servers="kafka:9092",
        bundle_url=str(tmp_path),
        topic_partitions="none",
    )
    assert wrong.returncode == 2
    assert "HEADRACE_TOPIC_PARTITIONS='none'" in wrong.stderr


def test_the_toy_model_is_made_once(tmp_path: Path) -> None:
    from headrace.training.toy_model import main

    folder = tmp_path / "models" / "first"
    assert main(["--out", str(folder)]) == 0
    made = (folder / "manifest.json").stat().st_mtime_ns
    assert main(["--out", str(folder)]) == 0
    assert (folder / "manifest.json").stat().st_mtime_ns == made
