"""`headrace restore`: a backup into an empty Postgres and a Kafka without records of ours."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from headrace.backup.backup import read_manifest, restore_postgres, restore_topics
from headrace.release.registry import Registry
from headrace.release.serving import versions_in_slots
from headrace.runtime.create_topics import TopicSettings
from headrace.runtime.settings import DatabaseSettings, load_settings
from headrace.runtime.topics import create_topics, topic_names
from headrace.store.database import Database


def main(arguments: Sequence[str]) -> int:
    """Raises: SettingsInvalid, BundleInvalid, FailedPrecondition, Unavailable."""
    given = _parser().parse_args(arguments)
    manifest = read_manifest(given.backup)
    database, topics = load_settings(DatabaseSettings), load_settings(TopicSettings)
    kafka = topics.kafka()
    # Kafka is asked first: whether it answers is known before anything is written to Postgres.
    topic_names(kafka)
    restore_postgres(database.database_url, given.backup, given.programs)
    with closing(Database(database.database_url, 1)) as restored:
        versions = versions_in_slots(Registry(restored), topics.bundle_url)
    for version in versions:
        create_topics(kafka, version, topics.topic_partitions, topics.topic_replication)
    for topic, records in restore_topics(kafka, given.backup, manifest["at"]).items():
        sys.stderr.write(f"{topic}: {records:,} records\n")
    sys.stderr.write(f"Postgres and topics are as of {manifest['at']}; services may start\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace restore",
        description=f"{__doc__} Services must not run. HEADRACE_DATABASE_URL, "
        "HEADRACE_KAFKA_BOOTSTRAP_SERVERS and HEADRACE_BUNDLE_URL as theirs.",
    )
    parser.add_argument("--backup", required=True, type=Path, help="folder of `headrace backup`")
    parser.add_argument("--programs", type=Path, help="folder of pg_restore; else PATH has it")
    return parser
