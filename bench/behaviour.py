"""Counting behaviour, and asking for it: `python -m bench.behaviour --data <folder>/ml-1m`.

Starts a Postgres of its own. Who meets which item is from MovieLens-1M, whose file has no times and
one kind of event; so each pair is a journey that begins within a year and goes on from view to
click, cart and purchase with chances of 0.30, 0.40 and 0.42, twenty minutes between two. The doors
are not in the figures.
"""

import argparse
import asyncio
import io
import shutil
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import psycopg2

from bench.report import percentiles_ms, print_table
from headrace.local.ports import free_ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.store.database import Database
from headrace.store.migrations import migrate
from services.event_ingest.behaviour import BehaviourRefresh
from services.event_ingest.events import GivenEvent
from services.event_ingest.log import EventLog
from services.event_ingest.service import EventIngest
from services.gateway.behaviour.models import (
    FunnelQuery,
    RetentionQuery,
    SegmentsQuery,
    TrendsQuery,
)
from services.gateway.behaviour.service import Behaviour
from services.gateway.behaviour.store import BehaviourStore

_YEAR_S = 365 * 86_400.0
_GOES_ON = {2: 0.30, 3: 0.40, 4: 0.42}
_BATCH = 100


def journeys(folder: Path, ordinals: dict[str, int]) -> pd.DataFrame:
    """Events in order of each person's log: user_id, n, item_ordinal, type, occurred_at."""
    dice = np.random.default_rng(1)
    pairs = pd.read_csv(folder / "interactions.csv.gz", dtype=str)
    people = pairs["user_id"].unique()
    came = dict(zip(people, dice.uniform(0, _YEAR_S, len(people)), strict=True))
    pairs["pause"] = dice.exponential(6 * 3_600, len(pairs))
    at = pairs["user_id"].map(came) + pairs.groupby("user_id")["pause"].cumsum()
    # Who would come later than now comes today.
    stage = pd.DataFrame(
        {
            "user_id": pairs["user_id"],
            "item_ordinal": pairs["item_id"].map(ordinals),
            "type": 1,
            "at": np.where(at < _YEAR_S, at, _YEAR_S - dice.uniform(0, 86_400, len(pairs))),
        }
    )
    stages = [stage]
    for kind, chance in _GOES_ON.items():
        stage = stage[dice.random(len(stage)) < chance].copy()
        stage["type"] = kind
        stage["at"] += dice.exponential(1_200, len(stage))
        stages.append(stage)
    events = pd.concat(stages).sort_values(["user_id", "at"])
    events["n"] = events.groupby("user_id").cumcount() + 1
    since_now = np.minimum(events.pop("at"), _YEAR_S) - _YEAR_S
    events["occurred_at"] = pd.to_datetime(time.time() + since_now, unit="s", utc=True)
    return events


def fill(dsn: str, folder: Path) -> int:
    """Items and events straight into their tables. Returns: the number of events."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        for item in pd.read_csv(folder / "items.csv.gz", dtype=str).itertuples():
            cursor.execute(
                "INSERT INTO items (item_id, title, description, categories, tags, attributes,"
                " revision, price) VALUES (%s, %s, '', %s, '{}', '{}', 1,"
                ' \'{"amount": 1900, "currency": "EUR"}\')',
                (item.item_id, item.title, str(item.genres).split("|")),
            )
        cursor.execute("SELECT item_id, ordinal FROM items")
        events = journeys(folder, dict(cursor.fetchall()))
        columns = ["user_id", "n", "item_ordinal", "type", "occurred_at"]
        text = io.StringIO(events[columns].to_csv(header=False, index=False))
        cursor.execute("CREATE TEMPORARY TABLE given (u text, n int, i int, t int, at timestamptz)")
        cursor.copy_expert("COPY given FROM STDIN (FORMAT csv)", text)
        cursor.execute(
            "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type, occurred_at,"
            " backfill, body_hash) SELECT u, n, 'e' || n, i, t, at, true, '' FROM given"
        )
        cursor.execute(
            "INSERT INTO user_counters (user_id, n) SELECT user_id, max(n) FROM interactions"
            " GROUP BY user_id"
        )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    return len(events)


def ingest(service: EventIngest, seconds: float, run: str) -> list[float]:
    """Batches of events of known people, as the consumer stores them. Returns: seconds of each."""
    taken: list[float] = []
    ends = time.perf_counter() + seconds
    while (began := time.perf_counter()) < ends:
        service.ingest(
            [
                GivenEvent(
                    key=str(person).encode(),
                    user_id=str(person),
                    event_id=f"{run}-{len(taken)}",
                    item_id="1",
                    type=1,
                    value=None,
                    occurred_at=None,
                    accepted_at=pd.Timestamp.now(tz="UTC").to_pydatetime(),
                    backfill=False,
                )
                for person in range(1, _BATCH + 1)
            ]
        )
        taken.append(time.perf_counter() - began)
    return taken


@contextmanager
def again_and_again(refresh: BehaviourRefresh) -> Iterator[None]:
    """One refresh after the other while the block runs."""
    done = threading.Event()

    def go_on() -> None:
        while not done.is_set():
            refresh.round()

    thread = threading.Thread(target=go_on)
    thread.start()
    yield
    done.set()
    thread.join()


async def asked(ask: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """Returns: seconds of each."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - began)
    return taken


def queries(behaviour: Behaviour) -> dict[str, Callable[[], Awaitable[object]]]:
    """What is asked, by name."""
    year = FunnelQuery(since=pd.Timestamp.now(tz="UTC").date() - pd.Timedelta(days=365))
    return {
        "funnel of 30 days": lambda: behaviour.funnel(FunnelQuery()),
        "funnel of a year": lambda: behaviour.funnel(year),
        "trends of items": lambda: behaviour.trends(TrendsQuery(window="week")),
        "trends of a category": lambda: behaviour.trends(
            TrendsQuery(window="week", category="Drama")
        ),
        "trends of categories": lambda: behaviour.trends(TrendsQuery(by="category")),
        "retention": lambda: behaviour.retention(RetentionQuery()),
        "segments": lambda: behaviour.segments(SegmentsQuery(currency="EUR", n=125)),
    }


async def measure(dsn: str, folder: Path, repeats: int, times: int) -> None:
    events = fill(dsn, folder)
    counting, pool = Database(dsn, size=1), Database(dsn)
    refresh = BehaviourRefresh(counting, period_s=0, busy_share=1)
    seconds = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        refresh.round()
        seconds.append(time.perf_counter() - began)
    print_table(
        f"counting {events:,} events",
        ["", "seconds"],
        [["the first time", seconds[0]], [f"again, median of {repeats}", median(seconds[1:])]],
    )
    behaviour = Behaviour(BehaviourStore(pool))
    rows = []
    for name, ask in queries(behaviour).items():
        await asked(ask, 5)
        rows.append([name, *percentiles_ms(await asked(ask, times))])
    print_table("asking, one question after the other", ["", "p50, ms", "p90, ms", "p99, ms"], rows)

    service = EventIngest(EventLog(pool))
    ingest(service, 2, "warm")
    alone = ingest(service, 10, "alone")
    with again_and_again(refresh):
        beside = ingest(service, 10, "beside")
    print_table(
        f"storing batches of {_BATCH} events",
        ["", "p50, ms", "p90, ms", "p99, ms"],
        [["alone", *percentiles_ms(alone)], ["while counting", *percentiles_ms(beside)]],
    )
    counting.close()
    pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MovieLens-1M")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--times", type=int, default=200, help="each question is asked")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    with EmbeddedPostgres(folder / "postgres", free_ports(1)[0]) as postgres:
        migrate(postgres.dsn)
        asyncio.run(measure(postgres.dsn, given.data, given.repeats, given.times))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
