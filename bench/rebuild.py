"""People's states made anew from their logs: `python -m bench.rebuild`.

Starts a system of its own with a toy bundle, writes logs straight into its Postgres, waits until
user_embedding has their states, and measures how long `headrace rebuild --only states` takes. From
that it says how long 100,000 people with 5,000,000 events would take on the same machine: the work
is the same for each event and each person, but their Postgres is larger than this one's memory.
"""

import argparse
import os
import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path

import httpx
import psutil

from bench.report import print_table
from headrace.local.ports import Ports
from headrace.local.system import LocalSystem
from headrace.local.waiting import wait_until
from headrace.rebuild.run import Progress, Rebuild
from headrace.rebuild.steps import States
from headrace.store.database import Database
from headrace.training.toy import make_toy_bundle, toy_items

_KEY = "a-key-for-the-bench-alone"
_DEADLINE_S = 3600.0
_PEOPLE, _EVENTS = 100_000, 5_000_000  # what is to be told about

_LOGS = """
INSERT INTO interactions
    (user_id, n, event_id, item_ordinal, type, value, occurred_at, backfill, body_hash)
SELECT 'p' || person, n, person || '-' || n,
    (SELECT min(ordinal) FROM items) + ((person * 31 + n * 7) %% (SELECT count(*) FROM items)),
    1 + n %% 4, NULL, now() - make_interval(hours => %(each)s - n), true, '\\x00'
FROM generate_series(%(first)s, %(last)s) AS person, generate_series(1, %(each)s) AS n;
INSERT INTO user_counters (user_id, n, updated_at)
SELECT 'p' || person, %(each)s, now() FROM generate_series(%(first)s, %(last)s) AS person;
"""
# What a longer transaction writes, the sweep of user_embedding would look for too late.
_PEOPLE_AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=50, help="of each person")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    bundle = folder / "bundle"
    make_toy_bundle(bundle)
    try:
        with LocalSystem(folder / "system", Ports.free(), bundle, api_key=_KEY) as system:
            _measure(system, given.people, given.events)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(system: LocalSystem, people: int, each: int) -> None:
    items = [{"item_id": item.item_id, "title": item.title} for item in toy_items()]
    httpx.post(
        f"{system.http_url}/v1/items",
        json={"items": items},
        headers={"Authorization": f"Bearer {_KEY}"},
        timeout=30,
    ).raise_for_status()
    step = States(system.model_version)
    with closing(Database(system.database_url, 1)) as database:

        def outstanding() -> int:
            with database.transaction() as cursor:
                return step.outstanding(cursor)

        for first in range(1, people + 1, _PEOPLE_AT_ONCE):
            last = min(people, first + _PEOPLE_AT_ONCE - 1)
            with database.transaction() as cursor:
                cursor.execute(_LOGS, {"first": first, "last": last, "each": each})
        with database.transaction() as cursor:
            cursor.execute("ANALYZE interactions, user_counters")
        if not wait_until(lambda: outstanding() == 0, _DEADLINE_S, 1.0):
            raise SystemExit(f"user_embedding has not made {people} states")
        print(f"{people:,} people with {each} events each; load {os.getloadavg()[0]:.1f}")
        service = psutil.Process(system.pid("user_embedding"))
        before, began = service.cpu_times(), time.perf_counter()
        Rebuild(database, system.model_version, [step], _say).run(anew=True)
        seconds, after = time.perf_counter() - began, service.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    print_table(
        f"States of {people:,} people from {people * each:,} events",
        ["", "people/s", "events/s", "seconds", "CPU s of user_embedding"],
        [["measured", people / seconds, people * each / seconds, seconds, cpu]],
    )
    wanted = max(_PEOPLE / people, _EVENTS / (people * each))
    print(
        f"At that pace {_PEOPLE:,} people with {_EVENTS:,} events: {seconds * wanted / 60:.1f} min"
    )


def _say(progress: Progress) -> None:
    if progress.finished:
        print(f"{progress.step.name}: {progress.done:,} {progress.step.unit}")


if __name__ == "__main__":
    main()
