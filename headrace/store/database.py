"""Connections to Postgres: a bounded pool, and transactions that tell "away" from "wrong"."""

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.errors import Unavailable

# libpq's own: without them a server that vanished without a word is waited for some 15 minutes.
_LIVENESS: dict[str, Any] = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}


def connect(dsn: str) -> Connection:
    """A connection of one's own. Raises: Unavailable where Postgres is away."""
    with unavailable_when_away():
        connection: Connection = psycopg2.connect(dsn, **_LIVENESS)
    return connection


@contextmanager
def unavailable_when_away() -> Iterator[None]:
    """Turns "Postgres is away" into Unavailable. Errors of the statement itself pass as they are.

    psycopg2 reports a lost server as OperationalError or InterfaceError, a conflict that a retry
    resolves (deadlock, serialisation) as TransactionRollbackError, an OperationalError too.
    """
    try:
        yield
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise Unavailable(f"Postgres did not answer: {str(error).strip()}") from error


class Database:
    """A pool of at most `size` connections, safe to use from threads. Connects on first use.

    psycopg2's own pool closes whatever is above its minimum and refuses instead of waiting, hence
    this one: a stack of places, each empty or holding an idle connection.
    """

    def __init__(self, dsn: str, size: int = 4, wait_s: float = 30.0) -> None:
        """wait_s: for a free connection."""
        self._dsn = dsn
        self._wait_s = wait_s
        self._closed = False
        self._idle: LifoQueue[Connection | None] = LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor in a transaction: committed at the end, rolled back on any error.

        Waits for a free connection. One that Postgres closed while it was idle is replaced.

        Raises: Unavailable where Postgres is away, no connection becomes free in time, or Postgres
        cannot serve anyone: it lacks the schema, or only reads. DataError and IntegrityError alone
        can be the fault of a record; the others would dead-letter every record that comes.
        """
        with self._connection() as connection:
            try:
                with connection.cursor() as cursor:
                    yield cursor
                connection.commit()
            except BaseException:
                _roll_back(connection)
                raise

    def read(
        self, statement: str | sql.Composable, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """The rows of one statement that changes nothing, in one round trip; a transaction takes
        three. Raises: as `transaction`.
        """
        with self._connection() as connection:
            connection.autocommit = True  # known to psycopg2 alone: no round trip
            try:
                with connection.cursor() as cursor:
                    cursor.execute(statement, values)
                    return list(cursor.fetchall())
            finally:
                if not connection.closed:
                    connection.autocommit = False

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = self._idle.get(timeout=self._wait_s)
        except Empty as error:
            raise Unavailable(f"no connection to Postgres was free in {self._wait_s} s") from error
        try:
            if connection is not None and _ended(connection):
                connection.close()
                connection = None
            if connection is None:
                connection = connect(self._dsn)
            with unavailable_when_away():
                yield connection
        except (psycopg2.InternalError, psycopg2.ProgrammingError) as error:
            raise Unavailable(f"Postgres refused a statement: {str(error).strip()}") from error
        finally:
            if self._closed and connection is not None:
                connection.close()
            self._idle.put(None if connection is None or connection.closed else connection)

    def check(self) -> None:
        """Raises Unavailable unless Postgres answers."""
        with self.transaction() as cursor:
            cursor.execute("SELECT 1")

    def close(self) -> None:
        """Closes the idle connections, and those in use once they come back."""
        self._closed = True
        # All are taken before one is put back: the last in is the first out.
        idle = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        for connection in idle:
            if connection is not None:
                connection.close()
            self._idle.put(None)


def _ended(connection: Connection) -> bool:
    """Whether the server has ended an idle connection: it speaks unasked, to say so."""
    return bool(select.select([connection.fileno()], [], [], 0)[0])


def _roll_back(connection: Connection) -> None:
    """Makes the connection fit for the next transaction, or closes it."""
    try:
        connection.rollback()
    except psycopg2.Error:
        connection.close()
