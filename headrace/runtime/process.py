"""Start and stop of a process: settings, logs, the event loop, signals, readiness.

def main() -> None:
    run_process("ranker", RankerSettings, serve)

async def serve(settings: RankerSettings, process: Process) -> None:
    async with AsyncExitStack() as stack:
        ...                       # enter resources in the order they depend on each other
        await process.until_told_to_stop()
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop

from headrace.errors import HeadraceError, SettingsInvalid
from headrace.runtime.logs import configure_logs
from headrace.runtime.operations import OperationsServer
from headrace.runtime.readiness import Readiness
from headrace.runtime.settings import ProcessSettings, load_settings

log = logging.getLogger(__name__)

S = TypeVar("S", bound=ProcessSettings)


class Process:
    """The running process: what makes it ready, and when it is told to stop."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.readiness = Readiness()
        self._failure: BaseException | None = None
        self._stop = asyncio.Event()
        self._started = False
        self.readiness.require("started", lambda: self._started)
        self._loop = asyncio.get_running_loop()
        # From the beginning, so that a signal during the start ends in order too.
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)

    async def until_told_to_stop(self) -> None:
        """The process has started. Returns on SIGTERM or SIGINT.

        Raises: the error that a part of the process reported by `fail`.
        """
        self._started = True
        await self._stop.wait()
        self.readiness.stopping()
        if self._failure is not None:
            raise self._failure
        log.info("stopping")

    def fail(self, error: BaseException) -> None:
        """Ends the process because a part of it died. May be called from any thread."""
        self._failure = error
        self._loop.call_soon_threadsafe(self._stop.set)


def run_process(
    service: str, kind: type[S], serve: Callable[[S, Process], Awaitable[None]]
) -> None:
    """Runs a service until it is told to stop; exits 0 then, 1 on failure, 2 on bad settings."""
    try:
        settings = load_settings(kind)
    except SettingsInvalid as error:
        sys.stderr.write(f"{service}: settings are wrong\n{error}\n")
        sys.exit(2)
    configure_logs(service, settings.log_level)

    async def run() -> None:
        process = Process(service)
        async with OperationsServer(settings.host, settings.metrics_port, process.readiness):
            await serve(settings, process)

    try:
        uvloop.run(run())
    except HeadraceError as error:
        log.critical("%s", error)
        sys.exit(1)
    except Exception:
        log.critical("the process failed", exc_info=True)
        sys.exit(1)
    log.info("stopped")
