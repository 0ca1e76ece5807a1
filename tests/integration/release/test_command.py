"""`headrace release`, as an operator types it, on real Kafka and Postgres without any service."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from headrace.cli import main
from headrace.commands.evaluate import prepared_data
from headrace.release.examination import examine
from headrace.release.registry import Registry, Running
from headrace.store.database import Database
from headrace.training.preparation import file_source, prepare
from headrace.training.toy import toy_items
from tests.bundles import another_version, live_ranker
from tests.conftest import KafkaServer


def measured(toy_bundle: Path, parent: Path, ndcg: float) -> Path:
    """A bundle whose manifest names that figure."""
    folder = another_version(toy_bundle, parent)
    manifest = folder / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "metrics": {"test.NDCG@10": ndcg}}))
    return folder


class Operator:
    """What the command says, and how it ends."""

    def __init__(self, capsys: pytest.CaptureFixture[str], registry: Registry) -> None:
        self.registry = registry
        self._capsys = capsys

    def does(self, *arguments: str) -> str:
        assert main(["release", *arguments]) == 0, self._capsys.readouterr().err
        return self._capsys.readouterr().out

    def may_not(self, *arguments: str) -> str:
        assert main(["release", *arguments]) == 2
        return self._capsys.readouterr().err


@pytest.fixture
def live(toy_bundle: Path, tmp_path: Path) -> Path:
    return measured(toy_bundle, tmp_path, 0.30)


@pytest.fixture
def operator(
    kafka: KafkaServer,
    database: str,
    live: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Operator]:
    """Slot blue runs `live`, as its ranker says."""
    monkeypatch.setenv("HEADRACE_DATABASE_URL", database)
    monkeypatch.setenv("HEADRACE_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    pool = Database(database, 1)
    registry = Registry(pool)
    registry.seen([live_ranker(live)])
    yield Operator(capsys, registry)
    pool.close()


def ready(operator: Operator, bundle: Path) -> None:
    """Everything that serves the candidate says that it is ready."""
    digest = examine(str(bundle)).manifest_sha256
    operator.registry.seen(
        [
            Running("green", service, "host/2", bundle.name, str(bundle), digest, ready=True)
            for service in ("item_embedding", "user_embedding", "ranker", "gateway")
        ]
    )


def test_a_release_from_the_first_to_the_last_command(
    operator: Operator, toy_bundle: Path, live: Path, tmp_path: Path
) -> None:
    better = measured(toy_bundle, tmp_path, 0.31)
    assert "nothing was released" in operator.does("status")
    assert f"{better.name} is proposed in slot green" in operator.does("propose", str(better))
    assert "shadow for 20.00% of requests" in operator.does("shadow", "20%")
    said = operator.may_not("canary", "5%")
    assert "not ready: no item_embedding runs it in slot green" in said
    assert "to come: no item_embedding" in operator.does("status")
    ready(operator, better)
    assert "may be promoted" in operator.does("status")
    assert "canary for 5.00% of people in slot green" in operator.does("canary", "5%")
    report = operator.does("report")
    assert f"{better.name} for 5.00% of people" in report
    assert "click-through  too little happened" in report
    assert f"{better.name} is live in slot green" in operator.does("promote")
    assert "is already" not in operator.may_not("propose", str(live))
    assert f"{live.name} is retired in slot blue" in operator.does("retire")
    assert "nothing to retire" in operator.may_not("retire")
    assert operator.does("clean") == "", "blue's ranker was seen a moment ago"
    assert "no earlier model stands by" in operator.may_not("rollback")


def test_a_model_that_is_worse_or_broken_is_not_proposed(
    operator: Operator, toy_bundle: Path, tmp_path: Path
) -> None:
    worse = measured(toy_bundle, tmp_path, 0.29)
    said = operator.may_not("propose", str(worse))
    assert "test NDCG@10 is 0.2900" in said
    assert "in spite of: test NDCG@10 is 0.2900" in operator.does("propose", str(worse), "--force")
    assert f"{worse.name} is stopped" in operator.does("rollback", "--reason", "it is worse")

    altered = measured(toy_bundle, tmp_path, 0.5)
    graph = altered / "ncf.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"?")
    assert "ncf.onnx has sha256" in operator.may_not("propose", str(altered), "--force")
    graph.unlink()
    assert "ncf.onnx is missing" in operator.may_not("propose", str(altered), "--force")
    assert operator.registry.active().candidate is None


def test_what_a_model_left_behind_is_deleted_and_nothing_else(
    operator: Operator, database: str, toy_bundle: Path, tmp_path: Path
) -> None:
    better = measured(toy_bundle, tmp_path, 0.31)
    operator.does("propose", str(better))
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO user_states (model_version, user_id, epoch, n, state, vector,"
            " recent_ordinals, seen, recent_event_ids)"
            " VALUES (%s, %s, 0, 1, '', '', '{}', '', '{}')",
            [(better.name, "ann"), (better.name, "bob"), ("another", "ann")],
        )
    assert operator.does("clean") == "", "it is still on its way"
    operator.does("rollback")
    said = operator.does("clean")
    assert f"{better.name}: deleted 2 of user_states, 0 of item_vectors, 4 topics" in said
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT model_version FROM user_states")
        assert cursor.fetchall() == [("another",)]
    assert operator.does("clean") == ""


def test_without_any_canary_there_is_no_report(operator: Operator) -> None:
    assert "no model was ever a canary" in operator.may_not("report")


@pytest.mark.parametrize("share", ["0", "101%", "1.5"])
def test_a_share_is_a_share(operator: Operator, share: str) -> None:
    with pytest.raises(SystemExit):
        operator.does("canary", share)


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A folder of `headrace prepare`: people who keep to one of the toy's four categories."""
    rows = [
        f"person-{person},item-{(person + 4 * (5 * person + step)) % 60},{step}"
        for person in range(24)
        for step in range(8)
    ]
    events, items = tmp_path / "events.csv", tmp_path / "items.csv"
    events.write_text("\n".join(["user_id,item_id,timestamp", *rows]), encoding="utf-8")
    described = [f"{one.item_id},{one.title},{one.categories[0]}" for one in toy_items()]
    items.write_text("\n".join(["item_id,title,categories", *described]), encoding="utf-8")
    prepare(file_source(events), file_source(items), tmp_path / "prepared")
    return tmp_path / "prepared"


def trained_on(prepared: Path, bundle: Path) -> Path:
    """The bundle, whose manifest now says so."""
    manifest = bundle / "manifest.json"
    _, parts = prepared_data(prepared)
    content = {**json.loads(manifest.read_text()), "split_sha256": parts.digest}
    manifest.write_text(json.dumps(content))
    return bundle


def test_a_prepared_folder_decides_whatever_the_manifests_say(
    operator: Operator, toy_bundle: Path, live: Path, prepared: Path, tmp_path: Path
) -> None:
    modest = trained_on(prepared, measured(toy_bundle, tmp_path, 0.01))
    assert "of another split" in operator.may_not("propose", str(modest))
    said = operator.does("propose", str(modest), "--prepared", str(prepared))
    figures = dict(re.findall(r"(\S+): test NDCG@10 (0\.\d{4})", said))
    assert figures.keys() == {live.name, modest.name}
    # The same weights.
    assert figures[live.name] == figures[modest.name]
    assert f"{modest.name} is proposed" in said


def test_a_candidate_that_may_have_learned_from_the_test_is_not_measured(
    operator: Operator, toy_bundle: Path, prepared: Path, tmp_path: Path
) -> None:
    candidate = measured(toy_bundle, tmp_path, 0.9)
    propose = ("propose", str(candidate), "--force", "--prepared")
    assert "may have learned from their test part" in operator.may_not(*propose, str(prepared))
    assert "holds no prepared data" in operator.may_not(*propose, str(tmp_path))
    assert operator.registry.active().candidate is None
