"""What runs on this machine as a process of its own: Kafka, Postgres, or a service."""

import signal
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from headrace.local.child import Child, Command
from headrace.local.errors import StartFailed
from headrace.local.priority import NORMAL, prefer
from headrace.local.waiting import wait_until


class Part(ABC):
    """A process that can be started, stopped, killed, and started again on the same data.

    name: how people call it; also in messages.
    port: the one by which people know it.
    metrics_port: where it serves Prometheus text; None if it does not.
    """

    start_seconds: ClassVar[float] = 60.0
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 30.0

    def __init__(
        self, name: str, port: int, log_file: Path, metrics_port: int | None = None
    ) -> None:
        self.name = name
        self.port = port
        self.metrics_port = metrics_port
        self.log_file = log_file
        self._child: Child | None = None
        self._nice = NORMAL

    @abstractmethod
    def prepare(self) -> Command:
        """Make what the process needs, its data folder for instance; say how to run it.

        Raises LocalError.
        """

    @abstractmethod
    def ready(self) -> bool:
        """Whether it can do its work now. Asks it; takes seconds at most."""

    @property
    def pid(self) -> int | None:
        """None unless it runs."""
        return self._child.pid if self._child and self.running else None

    @property
    def exit_code(self) -> int | None:
        """Of the last run: None while it runs; minus the signal's number if one ended it."""
        return self._child.exit_code if self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.exit_code is None

    def start(self) -> None:
        """Launch it and wait until it is ready.

        Raises LocalError: PortTaken, or StartFailed with the end of its log.
        """
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start the process and return at once. Nothing happens if it runs."""
        if not self.running:
            self._child = Child(self.prepare())
            if self._nice != NORMAL:
                prefer(self._child.pid, self._nice)

    def prefer(self, nice: int) -> None:
        """How much it gets of a busy machine, now and when it is launched again: see `priority`."""
        self._nice = nice
        if self.pid is not None:
            prefer(self.pid, nice)

    def wait_ready(self) -> None:
        """Wait until it is ready. Raises StartFailed if it ends or takes `start_seconds`."""
        wait_until(lambda: not self.running or self.ready(), self.start_seconds)
        if not self.running:
            raise StartFailed(self.epitaph())
        if not self.ready():
            raise StartFailed(
                f"{self.name} was not ready on port {self.port} within {self.start_seconds:.0f} s. "
                f"The end of {self.log_file}:\n{self.last_log_lines()}"
            )

    def stop(self) -> None:
        """End it gently, by force if it takes too long. Its data stays."""
        if self._child is not None:
            self._child.stop(self.stop_seconds, self.stop_signal)

    def kill(self) -> None:
        """SIGKILL at once, as a crash would."""
        if self._child is not None:
            self._child.kill()

    def last_log_lines(self) -> str:
        """The end of what it logged since it was launched."""
        return self._child.last_log_lines() if self._child else "(never launched)"

    def epitaph(self) -> str:
        """What is known about its end."""
        return (
            f"{self.name} ended with code {self.exit_code}. The end of {self.log_file}:\n"
            f"{self.last_log_lines()}"
        )

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
