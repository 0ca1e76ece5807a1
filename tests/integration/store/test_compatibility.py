"""While a release is rolled out the one before runs on the new schema: migrations only add."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psycopg2
import pytest

from headrace.store.migrations import SCHEMA, migrate

_COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable = 'YES', column_default IS NOT NULL
    FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), true, false
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relkind = 'm' AND c.relnamespace = current_schema()::regnamespace
"""


class Column(NamedTuple):
    type: str
    may_be_absent: bool
    has_default: bool


Columns = Mapping[tuple[str, str], Column]
"""By table or view and name."""


def _columns(dsn: str) -> Columns:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        return {(table, name): Column(*rest) for table, name, *rest in cursor.fetchall()}


def _taken_back(before: Columns, after: Columns) -> Iterator[str]:
    """What reads or writes of the version before would fail of."""
    for where, column in before.items():
        now = after.get(where)
        if now is None:
            yield f"{'.'.join(where)} is gone"
        elif now.type != column.type:
            yield f"{'.'.join(where)} is {now.type} instead of {column.type}"
        elif column.may_be_absent and not now.may_be_absent:
            yield f"{'.'.join(where)} must be given"
        elif column.has_default and not now.has_default:
            yield f"{'.'.join(where)} has no default any more"
    tables = {table for table, _ in before}
    for where in after.keys() - before.keys():
        if where[0] in tables and not after[where].may_be_absent and not after[where].has_default:
            yield f"{'.'.join(where)} must be given"


def test_no_migration_takes_back_what_the_version_before_uses(empty: str, tmp_path: Path) -> None:
    before: Columns = {}
    for path in sorted(SCHEMA.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".sql"):
            (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
            assert migrate(empty, tmp_path) == [path.name]
            after = _columns(empty)
            assert list(_taken_back(before, after)) == [], path.name
            before = after
    assert len(before) > 100


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DROP TABLE kept", {"kept.id is gone", "kept.note is gone"}),
        ("ALTER TABLE kept DROP COLUMN note", {"kept.note is gone"}),
        ("ALTER TABLE kept RENAME note TO remark", {"kept.note is gone"}),
        ("ALTER TABLE kept ALTER id TYPE bigint", {"kept.id is bigint instead of integer"}),
        ("ALTER TABLE kept ALTER note SET NOT NULL", {"kept.note must be given"}),
        ("ALTER TABLE kept ALTER id DROP DEFAULT", {"kept.id has no default any more"}),
        ("ALTER TABLE kept ADD more int NOT NULL", {"kept.more must be given"}),
        ("ALTER TABLE kept ADD more int NOT NULL DEFAULT 0", set()),
        ("CREATE TABLE new (id int NOT NULL)", set()),
    ],
)
def test_what_is_taken_back_is_found(empty: str, statement: str, found: set[str]) -> None:
    with closing(psycopg2.connect(empty)) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE TABLE kept (id int NOT NULL DEFAULT 1, note text)")
        before = _columns(empty)
        connection.cursor().execute(statement)
    assert set(_taken_back(before, _columns(empty))) == found
