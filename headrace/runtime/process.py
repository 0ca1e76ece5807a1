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
from collections.abc import Callable, Coroutine
from typing import TypeVar

import uvloop

from headrace.errors import HeadraceError, SettingsInvalid
from headrace.runtime.logs import configure_logs
from headrace.runtime.loop_lag import watched_loop
from headrace.runtime.operations import OperationsServer
from headrace.runtime.readiness import Readiness
from headrace.runtime.settings import ProcessSettings, load_settings
from headrace.runtime.settled import settled_when_ready
from headrace.runtime.tracing import TRACING

log = logging.getLogger(__name__)

S = TypeVar("S", bound=ProcessSettings)


class Process:
    """The running process: what makes it ready, and when it is told to stop."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.readiness = Readiness()
        self._failure: BaseException | None = None
        self._waiting = False
        self.readiness.require("started", lambda: self._waiting)
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def until_told_to_stop(self) -> None:
        """Returns on SIGTERM or SIGINT.

        Raises: the error that a part of the process reported by `fail`.
        """
        self._waiting = True
        log.info("started")
        await self._stop.wait()
        self.readiness.stopping()
        if self._failure is not None:
            raise self._failure
        log.info("stopping")

    def fail(self, error: BaseException) -> None:
        """Ends the process because a part of it died. May be called from any thread."""
        if self._failure is None:
            self._failure = error
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    def leave(self) -> None:
        """Stops the process as SIGTERM does. May be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def run(self, serving: Coroutine[None, None, None]) -> None:
        """Runs `serving` until it ends. A signal stops it, and cancels what is still starting."""
        task = asyncio.create_task(serving)

        def told() -> None:
            started = self._waiting
            self._stop.set()
            if not started:
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, told)
        try:
            await task
        except asyncio.CancelledError:
            log.info("stopped while starting")


def run_process(
    service: str, kind: type[S], serve: Callable[[S, Process], Coroutine[None, None, None]]
) -> None:
    """Runs a service until it is told to stop; exits 0 then, 1 on failure, 2 on bad settings."""
    try:
        settings = load_settings(kind)
    except SettingsInvalid as error:
        sys.stderr.write(f"{service}: settings are wrong\n{error}\n")
        sys.exit(2)
    configure_logs(service, settings.log_level)
    if settings.traces_url:
        # Costs memory and half a second of start, which those pay who want it.
        from headrace.runtime.otlp import OtlpTracer  # noqa: PLC0415

        TRACING.use(OtlpTracer(service, settings.traces_url), settings.traces_share)

    async def run() -> None:
        process = Process(service)
        operations = OperationsServer(settings.host, settings.metrics_port, process.readiness)
        async with operations, watched_loop(), settled_when_ready(process.readiness):
            await process.run(serve(settings, process))

    try:
        uvloop.run(run())
    except SettingsInvalid as error:
        log.critical("settings are wrong: %s", error)
        sys.exit(2)
    except HeadraceError as error:
        log.critical("%s", error)
        sys.exit(1)
    except Exception:
        log.critical("the process failed", exc_info=True)
        sys.exit(1)
    finally:
        TRACING.close()
    log.info("stopped")
