"""Migrations are applied once each, however many processes try."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import psycopg2
import pytest

from headrace.errors import FailedPrecondition, Unavailable
from headrace.local.ports import free_ports
from headrace.store.migrate import main
from headrace.store.migrations import migrate


def _all_files() -> list[str]:
    folder = files("headrace.store") / "schema"
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".sql"))


def test_each_file_is_applied_in_order_and_once(empty: str) -> None:
    assert migrate(empty) == _all_files()
    assert migrate(empty) == []


def test_several_at_once_apply_each_file_once(empty: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(migrate, [empty] * 4))
    assert sorted(applied)[-1] == _all_files()
    assert sorted(applied)[:-1] == [[], [], []]


def test_without_postgres_it_is_unavailable() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable):
        migrate(f"postgresql://headrace@127.0.0.1:{port}/headrace")


def _beside(folder: Path, **statements: str) -> Path:
    """The present schema's files, and more after them."""
    source = files("headrace.store") / "schema"
    for path in source.iterdir():
        if path.name.endswith(".sql"):
            (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    for name, statement in statements.items():
        (folder / f"9{name}.sql").write_text(statement, encoding="utf-8")
    return folder


def _columns(dsn: str) -> set[tuple[str, str]]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
        return set(cursor.fetchall())


def test_one_that_fails_halfway_leaves_nothing_of_itself_and_can_be_mended(
    empty: str, tmp_path: Path
) -> None:
    migrate(empty)
    before = _columns(empty)
    folder = _beside(
        tmp_path,
        first="CREATE TABLE whole (id int)",
        second="ALTER TABLE items ADD COLUMN half int; DROP TABLE rebuild_steps; SELECT 1 / 0",
        third="CREATE TABLE never (id int)",
    )
    with pytest.raises(FailedPrecondition, match=r"migration 9second\.sql .* division by zero"):
        migrate(empty, folder)
    assert _columns(empty) - before == {("whole", "id")}
    assert before <= _columns(empty)
    (folder / "9second.sql").write_text("ALTER TABLE items ADD COLUMN half int")
    assert migrate(empty, folder) == ["9second.sql", "9third.sql"]


def test_one_that_waits_for_a_table_gives_way_to_those_who_use_it(
    empty: str, tmp_path: Path
) -> None:
    migrate(empty)
    folder = _beside(tmp_path, first="ALTER TABLE items ADD COLUMN more int")
    with closing(psycopg2.connect(empty)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM items")  # and the transaction goes on
        with pytest.raises(Unavailable, match="lock timeout"):
            migrate(empty, folder, lock_s=0.1)
    assert migrate(empty, folder) == ["9first.sql"]


def test_the_command_names_the_migration_that_failed(
    empty: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with closing(psycopg2.connect(empty)) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE TABLE items (id int)")  # somebody else's
    monkeypatch.setenv("HEADRACE_DATABASE_URL", empty)
    assert main() == 1
    assert "migrate: migration 00" in capsys.readouterr().err
