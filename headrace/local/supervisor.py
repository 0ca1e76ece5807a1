"""Runs parts: starts them in order, starts again what dies, stops them in reverse."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headrace.local.errors import LocalError, StartFailed
from headrace.local.part import Part
from headrace.local.supervised import Backoff, State, Supervised
from headrace.local.waiting import wait_until

_LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class PartStatus:
    """A part as people see it."""

    name: str
    state: State
    port: int
    metrics_port: int | None
    pid: int | None
    restarts: int


class Supervisor:
    """Parts by name, in the order in which they depend on each other."""

    def __init__(self, parts: Sequence[Part], backoff: Backoff | None = None) -> None:
        self._supervised = {part.name: Supervised(part, backoff or Backoff()) for part in parts}
        self._leave = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, names: Iterable[str] | None = None) -> None:
        """Launch these parts (default: all) side by side and wait until all are ready.

        Raises StartFailed if one ends before it was ready, or takes too long; those that were
        started go on. Raises other LocalErrors, PortTaken for instance, as they come.
        """
        chosen = [self._find(name) for name in (names or self._supervised)]
        for one in chosen:
            one.launch()
        self._watch()
        seconds = max((one.part.start_seconds for one in chosen), default=0.0)
        settled = wait_until(
            lambda: (
                all(one.state is State.READY for one in chosen)
                or any(one.state is State.FAILED for one in chosen)
            ),
            seconds,
        )
        for one in chosen:
            if one.state is State.FAILED:
                raise StartFailed(one.part.epitaph())
            if not settled and one.state is not State.READY:
                raise StartFailed(
                    f"{one.part.name} was not ready within {seconds:.0f} s. The end of "
                    f"{one.part.log_file}:\n{one.part.last_log_lines()}"
                )

    def wait_ready(self, names: Iterable[str] | None = None, seconds: float = 60.0) -> bool:
        """Wait until these parts (default: all) are ready. False if that takes too long."""
        chosen = [self._find(name) for name in (names or self._supervised)]
        return wait_until(lambda: all(one.state is State.READY for one in chosen), seconds)

    def terminate(self, name: str) -> int | None:
        """SIGTERM (Postgres: SIGINT); it stays down until `start`. Returns its exit code."""
        return self._find(name).stop()

    def kill(self, name: str) -> None:
        """SIGKILL; it stays down until `start`."""
        self._find(name).kill()

    def prefer(self, name: str, nice: int) -> None:
        """How much it gets of a busy machine, now and when it is started again; 0: as others."""
        self._find(name).prefer(nice)

    def pid(self, name: str) -> int | None:
        """None unless it runs."""
        return self._find(name).part.pid

    def status(self) -> list[PartStatus]:
        """All parts, in order."""
        return [
            PartStatus(
                name=name,
                state=one.state,
                port=one.part.port,
                metrics_port=one.part.metrics_port,
                pid=one.part.pid,
                restarts=one.restarts,
            )
            for name, one in self._supervised.items()
        ]

    def stop(self) -> None:
        """End all parts gently, in reverse order. May be called again."""
        self._leave.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for one in reversed(self._supervised.values()):
            one.stop()

    def _find(self, name: str) -> Supervised:
        try:
            return self._supervised[name]
        except KeyError:
            known = ", ".join(self._supervised)
            raise LocalError(f"There is no part {name!r}; there are {known}.") from None

    def _watch(self) -> None:
        if self._thread is None:
            self._leave.clear()
            self._thread = threading.Thread(target=self._look, name="supervisor", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        while not self._leave.wait(_LOOK_EVERY_SECONDS):
            for one in self._supervised.values():
                one.look()
