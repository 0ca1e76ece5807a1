"""What is searched is the same, however its functions are written."""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from headrace.store.migrations import SCHEMA, migrate

_CHEAPER = "0021_cheaper_imports.sql"
_PIECES = [*"aZ9 \t\n-'.,/@&>_", "  ", "é", "e\u0301", "ß", "Ångström", "\u2014", "日本", "\u00a0"]

_ITEMS = """
INSERT INTO items (
    item_id, title, description, categories, tags, attributes, text_attributes, price, revision,
    deleted
)
SELECT 'i' || n, title || '.', title || ' ' || title,
    (ARRAY['{}', '{a}', '{A > b > c,A > b,d,d}', '{x>y, > }']::text[])[1 + n %% 4]::text[],
    (ARRAY['{}', '{new,"two words",new}']::text[])[1 + n %% 2]::text[],
    '{"year": 1999}',
    (ARRAY['{}', '{"brand": "Mill & Race", "size": "X > L"}']::text[])[1 + n %% 3 %% 2]::jsonb,
    '{"amount": 5, "currency": "EUR"}', 1, n %% 7 = 0
FROM unnest(%s::text[]) WITH ORDINALITY AS given (title, n)
"""
_INDEX = "SELECT index_items(ARRAY(SELECT ordinal FROM items))"
_FOUND = (
    "SELECT ordinal, document, terms, title, numbers, price_amount, price_currency FROM item_search"
    " ORDER BY ordinal",
    "SELECT * FROM search_words ORDER BY word",
)


@pytest.fixture
def texts() -> list[str]:
    draw = random.Random(21)
    return ["", " ", *("".join(draw.choices(_PIECES, k=draw.randint(1, 30))) for _ in range(400))]


@contextmanager
def _cursor(dsn: str) -> Iterator[Any]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        yield cursor


def _before(folder: Path) -> Path:
    for path in SCHEMA.iterdir():
        if path.name.endswith(".sql") and path.name < _CHEAPER:
            (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def test_items_are_found_by_the_same_words_and_terms(
    empty: str, tmp_path: Path, texts: list[str]
) -> None:
    def state() -> list[object]:
        with _cursor(empty) as cursor:
            cursor.execute(_INDEX)
            cursor.execute("SELECT folded(given) FROM unnest(%s) AS given", (texts,))
            found: list[object] = [cursor.fetchall()]
            for statement in _FOUND:
                cursor.execute(statement)
                # The order of terms is nobody's concern.
                found.append([[_sorted(value) for value in row] for row in cursor.fetchall()])
        return found

    migrate(empty, _before(tmp_path))
    with _cursor(empty) as cursor:
        cursor.execute(_ITEMS, (texts,))
    before = state()
    assert _CHEAPER in migrate(empty)
    with _cursor(empty) as cursor:
        cursor.execute("UPDATE items SET deleted = NOT deleted WHERE ordinal % 50 = 1")
        cursor.execute(_INDEX)
        cursor.execute("UPDATE items SET deleted = NOT deleted WHERE ordinal % 50 = 1")
    assert state() == before
    items = before[1]
    assert isinstance(items, list)
    assert len(items) == len(texts) - len(texts) // 7


def _sorted(value: object) -> object:
    return sorted(value) if isinstance(value, list) else value
