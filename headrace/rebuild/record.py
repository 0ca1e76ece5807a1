"""How far a rebuild has come, in Postgres: table `rebuild_steps`."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from headrace.errors import FailedPrecondition
from headrace.rebuild.steps import Cursor
from headrace.store.database import connect

# An advisory lock: any number that nobody else takes.
_REBUILDING = 727_201


@dataclass(frozen=True)
class Mark:
    """How far one step has come. `given`: done, or left to its owner."""

    step: str
    after: str
    given: int
    finished: bool


@contextmanager
def alone(dsn: str) -> Iterator[None]:
    """Raises: FailedPrecondition where another rebuild is under way on this database."""
    with closing(connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_REBUILDING,))
            (mine,) = cursor.fetchone() or (False,)
            if not mine:
                raise FailedPrecondition("another rebuild is under way on this database")
            yield


def begin(cursor: Cursor, model_version: str, names: Sequence[str], *, anew: bool) -> list[Mark]:
    """The marks of the rebuild of these steps to go on with, in the order of `names`: one that has
    not ended, else a new one. anew: a new one in any case.
    """
    marks = _marks(cursor, model_version, names)
    if anew or all(mark.finished for mark in marks.values()):
        cursor.execute(
            "DELETE FROM rebuild_steps WHERE model_version = %(model)s AND step = ANY(%(steps)s);"
            "INSERT INTO rebuild_steps (model_version, step)"
            " SELECT %(model)s, unnest(%(steps)s::text[])",
            {"model": model_version, "steps": list(names)},
        )
        marks = _marks(cursor, model_version, names)
    return [marks[name] for name in names if name in marks]


def advance(cursor: Cursor, model_version: str, mark: Mark) -> None:
    """In the transaction of the work that it tells of."""
    cursor.execute(
        "UPDATE rebuild_steps SET after_key = %s, given = %s,"
        " started_at = coalesce(started_at, now()),"
        " finished_at = CASE WHEN %s THEN now() END"
        " WHERE model_version = %s AND step = %s",
        (mark.after, mark.given, mark.finished, model_version, mark.step),
    )


def _marks(cursor: Cursor, model_version: str, names: Sequence[str]) -> dict[str, Mark]:
    cursor.execute(
        "SELECT step, after_key, given, finished_at IS NOT NULL"
        " FROM rebuild_steps WHERE model_version = %s AND step = ANY(%s)",
        (model_version, list(names)),
    )
    return {row[0]: Mark(*row) for row in cursor.fetchall()}
