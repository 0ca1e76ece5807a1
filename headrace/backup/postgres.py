"""Postgres by its own programs, pg_dump and pg_restore."""

import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

from psycopg2.extensions import parse_dsn

from headrace.errors import FailedPrecondition, Unavailable
from headrace.store.database import connect

_TOLD = 2_000  # characters of what a program said last


def dump(dsn: str, file: Path, programs: Path | None) -> None:
    """Everything as of one moment. Raises: Unavailable where pg_dump cannot do it."""
    _run(_program("pg_dump", programs), dsn, "--format=custom", "--no-owner", f"--file={file}")


def load(dsn: str, file: Path, programs: Path | None) -> None:
    """All of a dump or nothing. Raises: Unavailable where pg_restore cannot do it."""
    program = _program("pg_restore", programs)
    options = ("--no-owner", "--exit-on-error", "--single-transaction")
    name = parse_dsn(dsn).get("dbname", "")
    _run(program, dsn, *options, f"--dbname={name}", str(file))


def require_empty(dsn: str) -> None:
    """Raises: FailedPrecondition where there is a table already: a restore adds to nothing."""
    with closing(connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = current_schema() AND relkind IN ('r', 'm', 'v') LIMIT 1"
        )
        found = cursor.fetchone()
    if found is not None:
        raise FailedPrecondition(
            f"the database has a table {found[0]} already; restore into an empty one"
        )


def publish_anew(dsn: str) -> None:
    """A Kafka that is empty gets items and vectors from their owner, which finds them unsent."""
    with closing(connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE items SET published_revision = 0")
        cursor.execute("UPDATE item_vectors SET published = false")


def _program(name: str, folder: Path | None) -> str:
    found = shutil.which(name, path=None if folder is None else str(folder))
    if found is None:
        raise Unavailable(
            f"{name} was not found: install PostgreSQL's client programs, of the server's version "
            "or newer, or name their folder by --programs"
        )
    return found


def _run(program: str, dsn: str, *arguments: str) -> None:
    """The connection goes by variables: others see the arguments of a process."""
    names = {"dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    names |= {"sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
    names |= {name: f"PG{name.upper()}" for name in ("host", "port", "user", "password")}
    given = {names[name]: value for name, value in parse_dsn(dsn).items() if name in names}
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL
        [program, *arguments],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(f"{Path(program).name} failed: {done.stderr.strip()[-_TOLD:]}")
