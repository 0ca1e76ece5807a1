"""Preparing what the services have stored."""

from pathlib import Path

import psycopg2
import pyarrow.parquet as pq
import pytest

from headrace.pictures.pixels import BYTES
from headrace.training.data import read_log
from headrace.training.prepare import main
from tests.conftest import PostgresServer

_ITEM = """
INSERT INTO items (item_id, title, description, categories, tags, attributes, revision)
VALUES (%s, %s, '', %s, '{}', %s, 1) RETURNING ordinal
"""
_EVENT = """
INSERT INTO interactions
    (user_id, n, event_id, item_ordinal, type, value, occurred_at, backfill, body_hash)
VALUES (%s, %s, %s, %s, %s, %s, to_timestamp(%s), false, '')
"""


def stored(dsn: str, statement: str, *values: object) -> int:
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone() if cursor.description else None
            return int(row[0]) if row else 0
    finally:
        connection.close()


def test_events_and_items_of_the_services_are_prepared(database: str, tmp_path: Path) -> None:
    toy = stored(database, _ITEM, "toy", "Toy Story", ["Comedy", "Family"], '{"year": 1995}')
    heat = stored(database, _ITEM, "heat", "Heat", [], "{}")
    stored(database, _ITEM, "new", "Never touched", [], "{}")
    stored(database, "UPDATE items SET embedding = '{0.5,-1}' WHERE ordinal = %s", toy)
    stored(database, "UPDATE items SET picture_url = 'https://a/now' WHERE ordinal <> %s", toy)
    for item, url, pixel in ((heat, "https://a/now", 7), (toy, "https://a/before", 8)):
        pixels = bytes([pixel]) * BYTES
        stored(database, "INSERT INTO item_pictures VALUES (%s, %s, %s)", item, url, pixels)
    for n, item, kind, value, moment in (
        (1, heat, 2, None, 200.0),
        (2, toy, 7, 4.0, 100.0),
        (3, toy, 4, 9.99, 200.0),
    ):
        stored(database, _EVENT, "ann", n, f"e{n}", item, kind, value, moment)
    stored(database, _EVENT, "ann", 4, "e4", heat, 5, None, 300.0)
    stored(database, _EVENT, "ann", 5, "r4", 0, 8, None, 300.0)
    stored(database, "UPDATE interactions SET retracted_by = 5 WHERE n = %s", 4)
    stored(database, _EVENT, "bob", 1, "e1", toy, 2, None, 300.0)
    stored(database, "INSERT INTO personalisation VALUES ('ann', true), ('bob', false)")
    stored(database, _EVENT, "ann", 6, "e6", heat, 9, None, 300.0)
    assert main(["--database-url", database, "--out", str(tmp_path / "out")]) == 0
    rows = pq.read_table(tmp_path / "out" / "interactions.parquet").to_pylist()
    assert [(row["item_id"], row["event_type"], row["rating"]) for row in rows] == [
        ("toy", "rating", 4.0),
        ("heat", "click", None),
        ("toy", "purchase", None),
    ]
    first, *_, last = pq.read_table(tmp_path / "out" / "items.parquet").to_pylist()
    assert (first["item_id"], first["categories"]) == ("toy", ["Comedy", "Family"])
    assert dict(first["attributes"]) == {"year": 1995.0}
    assert (first["embedding"], last["embedding"]) == ([0.5, -1.0], None)
    assert last["title"] == "Never touched"
    toy_story, seen, _ = read_log(tmp_path / "out").catalogue
    assert toy_story.picture is None
    assert seen.picture is not None
    assert (seen.picture == 7).all()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("secret word", "the database's URL cannot be understood"),
        ("postgresql://nobody@127.0.0.1:1/none", "Postgres did not answer"),
    ],
)
def test_a_database_that_is_none_is_named(
    url: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--database-url", url, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert "secret" not in said


def test_a_database_of_somebody_else_is_told_apart(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--database-url", postgres.dsn, "--out", str(tmp_path / "out")]) == 2
    assert "is not Headrace's" in capsys.readouterr().err
