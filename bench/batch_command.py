"""All of `headrace batch`, its workers and Postgres included: `python -m bench.batch_command`.

Starts a Postgres of its own and fills it with the items and people of `bench.batch`. Wall time
tells something where nothing else runs; processor time, of the command and of Postgres, elsewhere
too.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from psycopg2.extras import execute_values

from bench.batch import catalogue, crowd
from bench.report import medians, print_table
from headrace.batch.items import StoredItem
from headrace.batch.people import People
from headrace.bundle import Bundle
from headrace.index.encoding import to_bytes
from headrace.local.ports import free_ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.store.database import Database
from headrace.store.migrations import migrate

_PAGE = 1_000


class Taken(NamedTuple):
    """Seconds: by the clock, and of processors in the command and in Postgres."""

    wall: float
    command: float
    postgres: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", help="folder of a trained one; without: arbitrary weights")
    parser.add_argument("--items", type=int, default=3_700)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--candidates", type=int, nargs="+", default=[300])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--part-users", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rows: list[list[str | float]] = []
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as name:
        folder = Path(name)
        url = options.bundle or str(folder / "bundle")
        bundle, stored = catalogue(options.bundle, folder, options.items)
        people = crowd(options.people, len(stored), bundle.user_width)
        with EmbeddedPostgres(folder / "postgres", free_ports(1)[0]) as postgres:
            migrate(postgres.dsn)
            _fill(postgres.dsn, bundle, stored, people)
            for candidates in options.candidates:
                given = ["--bundle", url, "--candidates", str(candidates)]
                given += ["--workers", str(options.workers)]
                given += ["--part-users", str(options.part_users)]
                runs = [
                    _run(postgres, [*given, "--out", str(folder / f"{candidates}-{turn}")])
                    for turn in range(options.repeats)
                ]
                wall, command, database = medians(runs)
                rows.append(
                    [
                        str(candidates),
                        wall,
                        f"{options.people / wall:,.0f}",
                        1e3 * command / options.people,
                        1e3 * database / options.people,
                        f"{options.workers * options.people / (command + database):,.0f}",
                    ]
                )
    print_table(
        f"headrace batch --workers {options.workers}: {options.people:,} people, "
        f"{len(stored):,} items, median of {options.repeats}",
        [
            "candidates",
            "s",
            "people/s",
            "CPU s per 1,000",
            "of Postgres",
            f"people/s, were {options.workers} cores never idle",
        ],
        rows,
    )


def _fill(dsn: str, bundle: Bundle, items: Sequence[StoredItem], people: People) -> None:
    """Rows as wide as those of services."""
    version = bundle.model_version
    state = np.random.default_rng(3).random(bundle.manifest.state_width, dtype=np.float32)
    database = Database(dsn, 1)
    with database.transaction() as cursor:
        execute_values(
            cursor,
            "INSERT INTO items (ordinal, item_id, title, description, categories, tags, attributes,"
            " revision) OVERRIDING SYSTEM VALUE VALUES %s",
            [
                (item.ordinal, item.content.item_id, item.content.title, "",
                 list(item.content.categories), [], "{}", 1)
                for item in items
            ],
            template="(%s, %s, %s, %s, %s, %s::text[], %s, %s)",
            page_size=_PAGE,
        )  # fmt: skip
        execute_values(
            cursor,
            "INSERT INTO item_vectors (model_version, ordinal, revision, vector, bias) VALUES %s",
            [(version, item.ordinal, 1, item.vector, item.bias) for item in items],
            page_size=_PAGE,
        )
        execute_values(
            cursor,
            "INSERT INTO user_states (model_version, user_id, epoch, n, state, vector,"
            " recent_ordinals, seen, recent_event_ids, last_occurred_at) VALUES %s",
            [
                (version, user_id, 0, 200, to_bytes(state), to_bytes(vector), recent.tolist(),
                 seen.serialize(), [f"{user_id}-{number}" for number in range(16)])
                for user_id, vector, recent, seen in zip(
                    people.user_ids, people.vectors, people.recent, people.seen, strict=True
                )
            ],
            template="(%s, %s, %s, %s, %s, %s, %s, %s, %s, now())",
            page_size=_PAGE,
        )  # fmt: skip
        cursor.execute("ANALYZE")
    database.close()


def _run(postgres: EmbeddedPostgres, arguments: Sequence[str]) -> Taken:
    used, began, of_postgres = _of_children(), time.perf_counter(), _of_postgres(postgres)
    subprocess.run(
        [sys.executable, "-m", "headrace.cli", "batch", *arguments],
        check=True,
        env={**os.environ, "HEADRACE_DATABASE_URL": postgres.dsn},
        stderr=subprocess.DEVNULL,
    )
    wall = time.perf_counter() - began
    return Taken(wall, _of_children() - used, _of_postgres(postgres) - of_postgres)


def _of_children() -> float:
    """Processor time of those that ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _of_postgres(postgres: EmbeddedPostgres) -> float:
    """Of its processes, those of sessions that ended included."""
    server = psutil.Process(postgres.pid)
    times = server.cpu_times()
    living = [child.cpu_times() for child in server.children()]
    ended = times.children_user + times.children_system
    return float(ended + sum(one.user + one.system for one in [times, *living]))


if __name__ == "__main__":
    main()
