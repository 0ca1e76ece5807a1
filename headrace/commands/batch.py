"""`headrace batch`: the first n for everybody, to files or to Kafka; no service needs to run."""

from __future__ import annotations

import os

# numpy's BLAS reads it when it is loaded; workers share the cores instead.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from headrace.batch.job import Progress, run
from headrace.batch.settings import BatchSettings
from headrace.batch.workers import run_workers
from headrace.bundle.scoring import CANDIDATES
from headrace.commands.arguments import count
from headrace.runtime.settings import DatabaseSettings, KafkaSettings, TrendSettings, load_settings


def main(arguments: Sequence[str]) -> int:
    """Raises: InvalidInput, SettingsInvalid, FailedPrecondition, BundleInvalid, Unavailable."""
    given = _parser().parse_args(arguments)
    settings = BatchSettings(
        bundle=given.bundle,
        database_url=load_settings(DatabaseSettings).database_url,
        out=given.out,
        format="kafka" if given.kafka_topic else given.format,
        n=given.n,
        candidates=given.candidates,
        users=given.users,
        active_since=given.active_since,
        segment=given.segment,
        general=given.general_lists,
        trend=load_settings(TrendSettings),
        kafka_topic=given.kafka_topic,
        kafka=load_settings(KafkaSettings).kafka() if given.kafka_topic else "",
        part_users=given.part_users,
        partition=given.partition,
    )
    if given.workers > 1:
        manifest = run_workers(settings, given.workers, _report)
    else:
        manifest = run(settings, _report)
    if manifest is None:
        sys.stderr.write("this partition is complete; others have parts to make\n")
        return 0
    sys.stderr.write(
        f"{manifest['people']:,} people, {manifest['rows']:,} rows in {len(manifest['parts'])} "
        f"files; {manifest['not_personal']:,} lists are general, "
        f"{manifest['unknown']:,} ids unknown\n"
    )
    return 0


def _report(progress: Progress) -> None:
    rate = progress.people / max(progress.seconds, 1e-9)
    sys.stderr.write(
        f"{progress.done} of {progress.parts} parts, {progress.people:,} people, {rate:,.0f}/s\n"
    )


def _moment(text: str) -> datetime:
    """Raises: ArgumentTypeError for what is no moment."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be ISO 8601 with an offset, is {text}") from None


def _partition(text: str) -> tuple[int, int]:
    """Raises: ArgumentTypeError for what is not i/k."""
    if (numbers := re.fullmatch(r"(\d+)/(\d+)", text)) is None:
        raise argparse.ArgumentTypeError(f"must be i/k, 1/2 say, is {text}")
    return int(numbers[1]), int(numbers[2])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace batch", description=f"{__doc__} HEADRACE_DATABASE_URL names the database."
    )
    parser.add_argument("--bundle", required=True, help="folder or URL of the bundle")
    parser.add_argument("--out", required=True, type=Path, help="folder of the lists")
    parser.add_argument("--n", type=int, default=10, help="length of a list, 1 to 200")
    parser.add_argument("--users", type=Path, help="file with an id a line; else everybody")
    parser.add_argument(
        "--active-since", type=_moment, help="only who did something since, 2026-01-31T00:00Z say"
    )
    parser.add_argument(
        "--segment", help="only who is in this segment of the behaviour analysis, best say"
    )
    parser.add_argument(
        "--kafka-topic", default="", help="to this topic, of HEADRACE_KAFKA_BOOTSTRAP_SERVERS"
    )
    parser.add_argument("--format", default="parquet", help="parquet or csv")
    parser.add_argument("--candidates", type=int, default=CANDIDATES, help="scored by the head")
    parser.add_argument(
        "--general-lists",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="what is trending, for whom nothing is known or who want no personal list",
    )
    parser.add_argument("--part-users", type=int, default=10_000, help="people in one file")
    parser.add_argument("--workers", type=count, default=1, help="processes, one core each")
    parser.add_argument(
        "--partition", type=_partition, default=(1, 1), help="i/k: of k runs on one folder the i-th"
    )
    return parser
