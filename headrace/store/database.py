"""Connections to Postgres: a bounded pool, and transactions that tell "away" from "wrong"."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import LifoQueue

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.errors import Unavailable


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

    def __init__(self, dsn: str, size: int = 4) -> None:
        self._dsn = dsn
        self._idle: LifoQueue[Connection | None] = LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor in a transaction: committed at the end, rolled back on any error.

        Waits for a free connection. After an error the connection is thrown away, since after a
        restart of the server it looks open until it is used; a new one costs a few ms.

        Raises: Unavailable where Postgres is away.
        """
        place = self._idle.get()
        kept: Connection | None = None
        try:
            with unavailable_when_away():
                connection = place or psycopg2.connect(self._dsn)
                try:
                    with connection.cursor() as cursor:
                        yield cursor
                    connection.commit()
                except BaseException:
                    connection.close()
                    raise
                kept = connection
        finally:
            self._idle.put(kept)

    def check(self) -> None:
        """Raises Unavailable unless Postgres answers."""
        with self.transaction() as cursor:
            cursor.execute("SELECT 1")

    def close(self) -> None:
        """Closes the idle connections; those in use close when they come back broken."""
        for _ in range(self._idle.qsize()):
            connection = self._idle.get_nowait()
            if connection is not None:
                connection.close()
            self._idle.put(None)
