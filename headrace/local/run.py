"""`make run`: everything on this machine, from nothing to a list that answers to clicks."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from threading import Event
from types import FrameType

from rich.console import Console

from headrace.errors import HeadraceError
from headrace.local.demo_model import trained_bundle
from headrace.local.home import api_key, demo_newest, home_folder
from headrace.local.imports import HISTORY, is_finished
from headrace.local.kafka_jars import kafka_class_path
from headrace.local.ports import Ports
from headrace.local.status import StatusBoard
from headrace.local.summary import summary
from headrace.local.system import LocalSystem, service_command


class Run:
    """One run, from start to Ctrl-C."""

    def __init__(
        self,
        home: Path,
        ports: Ports,
        console: Console,
        *,
        demo: bool = True,
        command_of: Callable[[str], Sequence[str]] = service_command,
    ) -> None:
        self._home = home
        self._ports = ports
        self._console = console
        self._demo = demo
        self._command_of = command_of
        self._kafka = os.environ.get("HEADRACE_KAFKA_BOOTSTRAP_SERVERS") or None
        self._database = os.environ.get("HEADRACE_DATABASE_URL") or None
        self._smtp = os.environ.get("HEADRACE_SMTP_URL") or None
        self._system: LocalSystem | None = None

    def start(self) -> None:
        """All that is needed until the system can be used. Raises HeadraceError."""
        self._ports.require_free(self._ports_needed())
        if self._kafka is None:
            kafka_class_path(self._say)
        bundle = trained_bundle(self._home, self._say)
        key = api_key(self._home)
        self._system = system = LocalSystem(
            self._home,
            self._ports,
            bundle,
            api_key=key,
            kafka_bootstrap_servers=self._kafka,
            database_url=self._database,
            smtp_url=self._smtp,
            command_of=self._command_of,
            say=self._say,
        )
        with self._step("Kafka and Postgres"):
            system.start_infrastructure()
        with self._step("The five services"):
            system.start_services()
        if self._demo and not is_finished(system.database_url, HISTORY):
            # Imported here: pandas would delay every start by half a second.
            from headrace.local.demo_import import import_demo  # noqa: PLC0415

            import_demo(system, demo_newest(self._home), self._console)
        self._say(summary(system, self._ports, key))

    def watch(self) -> None:
        """Show what the processes do, until interrupted."""
        assert self._system is not None
        StatusBoard(self._system.status, self._console).show_until(Event())

    def stop(self) -> None:
        """Stop what was started; the data stays."""
        if self._system is not None:
            self._say("Stopping …")
            self._system.stop()

    def _ports_needed(self) -> list[str]:
        names = [port.name for port in fields(Ports)]
        if self._kafka:
            names = [name for name in names if not name.startswith("local_kafka")]
        if self._database:
            names.remove("local_postgres")
        if self._smtp:
            names.remove("local_smtp")
        return names

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        with self._console.status(f"{what} …"):
            yield
        self._say(f"{what}: ready after {time.monotonic() - begun:.1f} s")


def drive(run: Run, console: Console) -> int:
    """Run until SIGINT or SIGTERM. Returns 0 then, 1 where the start failed."""
    # SIGINT too: where a shell without job control started this in the background, it is ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        run.start()
        run.watch()
    except KeyboardInterrupt:
        return 0
    except HeadraceError as error:
        _complain(console, error)
        return 1
    finally:
        # From here on nothing interrupts the stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        run.stop()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="headrace.local.run",
        description="Run Kafka, Postgres and the services on this machine.",
    )
    parser.add_argument(
        "--no-demo", action="store_true", help="leave the catalogue and the history empty"
    )
    options = parser.parse_args(arguments)
    console = Console()
    try:
        ports = Ports.from_environment()
        home = home_folder()
    except HeadraceError as error:
        _complain(console, error)
        return 2
    return drive(Run(home, ports, console, demo=not options.no_demo), console)


def _complain(console: Console, error: HeadraceError) -> None:
    console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
