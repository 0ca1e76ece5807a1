"""From Postgres to a proposal: a live model that knows little, and people who follow a pattern."""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psycopg2
import pytest
from psycopg2.extras import execute_values

from headrace.bundle import Bundle
from headrace.cli import main
from headrace.release.registry import Registry
from headrace.retraining.folder import RunFolder
from headrace.retraining.news import News
from headrace.retraining.reasons import Triggers
from headrace.retraining.record import Trainings
from headrace.retraining.run import Retraining, Terms
from headrace.retraining.training import Made, Task
from headrace.runtime.periodic import Periodic
from headrace.store.database import Database
from headrace.training.toy import toy_items
from tests.bundles import another_version, live_ranker
from tests.conftest import KafkaServer, PostgresServer, scratch_database
from tests.killed import kill_once

PEOPLE, STEPS, ITEMS = 80, 15, 60
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
_EVENTS = """
INSERT INTO interactions
    (user_id, n, event_id, item_ordinal, type, occurred_at, backfill, body_hash) VALUES %s
"""


class World(NamedTuple):
    """dsn: of a database with a history. live: the bundle that slot blue runs; it learned until the
    sixth step of everybody."""

    dsn: str
    registry: Registry
    database: Database
    live: Path


def write_events(dsn: str, events: Iterable[tuple[str, int, datetime, int]]) -> None:
    """Clicks: who, the place in their history from 0, when, and on which item, from 0."""
    rows = [
        (user, place + 1, f"e{place}", item + 1, 2, at, False, b"")
        for user, place, at, item in events
    ]
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        execute_values(cursor, _EVENTS, rows)
    connection.close()


def write_history(dsn: str) -> None:
    """Whoever took item i takes item i + 1 next; a step of everybody is an hour."""
    random = np.random.default_rng(0)
    items: list[tuple[object, ...]] = [
        (item.item_id, item.title, "", [*item.categories], [], "{}", 1) for item in toy_items()
    ]
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO items"
            " (item_id, title, description, categories, tags, attributes, revision)"
            " VALUES %s",
            items,
            template="(%s, %s, %s, %s::text[], %s::text[], %s::jsonb, %s)",
        )
    connection.close()
    write_events(
        dsn,
        (
            (f"u{user}", step, BEGAN + timedelta(hours=step, seconds=user), (start + step) % ITEMS)
            for user, start in enumerate(random.integers(0, ITEMS, PEOPLE).tolist())
            for step in range(STEPS)
        ),
    )


def told(bundle: Path, **training: str) -> Path:
    """The bundle, whose manifest says that as well."""
    manifest = bundle / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "training": {**content["training"], **training}}))
    return bundle


@pytest.fixture(scope="module")
def world(
    kafka: KafkaServer,
    postgres: PostgresServer,
    toy_bundle: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("retrained")
    learned_until = (BEGAN + timedelta(hours=5, minutes=30)).isoformat()
    live = told(another_version(toy_bundle, folder), learned_until=learned_until)
    with scratch_database(postgres) as dsn, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_DATABASE_URL", dsn)
        patch.setenv("HEADRACE_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
        write_history(dsn)
        database = Database(dsn, 2)
        registry = Registry(database)
        running = live_ranker(live)

        def still_runs() -> None:
            registry.seen([running])

        # As a ranker does: who has not been seen for a while runs no longer.
        still_runs()
        seen = Periodic("seen", still_runs, period_s=1.0)
        seen.start()
        yield World(dsn, registry, database, live)
        seen.stop(10)
        database.close()


def command(world: World, *arguments: str) -> list[str]:
    bundles = world.live.parent / "bundles"
    few = ["--epochs", "60", "--threads", "1", "--people", "20"]
    return ["retrain", "--bundles", str(bundles), *few, *arguments]


def retrain(world: World, *arguments: str) -> int:
    return main(command(world, *arguments))


def test_without_a_reason_nothing_is_done(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert retrain(world, "--events", "1000000") == 0
    said = capsys.readouterr().out
    assert f"{PEOPLE * (STEPS - 6):,} events since" in said
    assert "nothing to do: no reason" in said
    assert main(["release", "status"]) == 0
    assert "training idle: no reason" in capsys.readouterr().out


def test_a_run_that_was_killed_goes_on_and_proposes_a_better_model_with_a_report(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    kept = ["--events", "500", "--checkpoint", str(folder), "--checkpoint-minutes", "0.001"]
    with subprocess.Popen(
        [sys.executable, "-m", "headrace.cli", *command(world, *kept)], stdout=subprocess.DEVNULL
    ) as victim:
        kill_once((folder / "checkpoint" / "checkpoint.pt").exists, victim, 120)
    # What happens in between is for the next run: this one goes on with its reason and its data.
    write_events(world.dsn, [("u0", STEPS, BEGAN + timedelta(hours=STEPS), 1)])

    assert retrain(world, *kept) == 0
    said = capsys.readouterr().out
    assert "going on with a run that was cut off" in said
    assert "resuming after" in said
    assert list(folder.iterdir()) == []
    assert "weights of 60 items" in said
    candidate = world.registry.active().candidate
    assert candidate is not None
    assert candidate.bundle_url.startswith(str(world.live.parent / "bundles"))
    report = Path(candidate.bundle_url) / "report.md"
    assert f"report: {report}" in said
    facts = json.loads(report.with_suffix(".json").read_text())
    assert facts["verdict"]["better"] is True
    assert facts["standing"]["exact"] is True
    assert sum(facts["parts"].values()) == PEOPLE * STEPS
    test = facts["parts"]["test"]
    assert test == pytest.approx(0.2 * PEOPLE * (STEPS - 6), abs=2)
    assert facts["trial"]["figures"]["NDCG@10"]["change"]["interval"]["low"] > 0
    manifest = Bundle.load(candidate.bundle_url, []).manifest
    assert manifest.training["started_from"] == world.live.name
    # The trial's events are still new to the candidate.
    until = datetime.fromisoformat(str(manifest.training["learned_until"]))
    assert News(world.database).events(until) == test + 1
    assert main(["release", "status"]) == 0
    status = capsys.readouterr().out
    assert f"training {candidate.model_version} proposed: NDCG@10 changes by +" in status
    assert str(report) in status
    # It is on its way: nothing follows before that is decided.
    assert retrain(world, "--events", "1") == 0
    assert (
        f"nothing to do: {candidate.model_version} is proposed already" in capsys.readouterr().out
    )


def test_a_worse_model_is_not_proposed_and_its_report_says_why(
    world: World, toy_bundle: Path, tmp_path: Path
) -> None:
    candidate = world.registry.active().candidate
    assert candidate is not None, "of the test before"
    world.registry.promote()
    world.registry.retire()

    now = [0.0]
    tasks = []

    def worse(task: Task) -> Made:
        assert task.start is not None
        assert task.start.model_version == candidate.model_version
        tasks.append(task)
        shutil.copytree(another_version(toy_bundle, tmp_path), task.out)
        now[0] += task.seconds
        return Made(None, task.seconds)

    def said(line: str) -> None:
        now[0] += 60

    def never(url: str) -> None:
        raise AssertionError(url)

    def retraining(terms: Terms) -> Retraining:
        return Retraining(
            world.dsn,
            world.registry,
            News(world.database),
            RunFolder(tmp_path / "run", "minutes=60"),
            train=worse,
            propose=never,
            terms=terms,
            say=said,
            clock=lambda: now[0],
        )

    terms = Terms(
        str(tmp_path / "kept"), Triggers(events=10, drift=9.0), seconds=3_600, fewest_people=10
    )
    ended = retraining(terms).run()
    assert ended.outcome == "not_better"
    assert "not all of the interval is above 0" in ended.reason
    kept = Path(ended.report_url).parent
    assert sorted(path.name for path in kept.iterdir()) == ["report.json", "report.md"]
    assert world.registry.active().candidate is None
    # Where the live model stands and the reason took a minute each, all else no time.
    facts = json.loads((kept / "report.json").read_text())
    assert facts["times"] == {"given": 3_600, "before": 120, "training": 3_480, "trial": 0}
    assert [task.seconds for task in tasks] == [3_480]
    # More people than there are: no trial.
    idle = retraining(dataclasses.replace(terms, fewest_people=10_000)).run()
    assert idle.outcome == "idle"
    assert "a trial wants 10,000" in idle.reason


def test_a_run_that_fails_says_so_afterwards(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    live = world.registry.active().live
    assert live is not None
    graph = Path(live.bundle_url) / "ncf.onnx"
    content = graph.read_bytes()
    graph.unlink()
    try:
        assert retrain(world, "--events", "1") == 2
    finally:
        graph.write_bytes(content)
    assert "ncf.onnx is missing" in capsys.readouterr().err
    newest, *_ = Trainings(world.database).newest()
    assert newest.outcome == "failed"
    assert "ncf.onnx is missing" in newest.reason
