"""A child process that logs to a file, dies with its parent, and stops within a deadline."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = str(Path(__file__).with_name("launch.py"))
# A log is moved aside when a process starts and finds more than this, so two of them are kept.
LOG_BYTES_KEPT = 10_000_000
# The kernel's "parent" is the thread that forks, so one thread that lives as long as this
# process starts all children.
_PARENT_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="children")


@dataclass(frozen=True)
class Command:
    """How to start a child.

    `death_signal` is what it gets when this process dies without stopping it. `user` is the
    account to run as, None for our own.
    """

    argv: Sequence[str]
    log_file: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    death_signal: signal.Signals = signal.SIGKILL
    user: str | None = None


def dying_with_parent(
    argv: Sequence[str], death_signal: signal.Signals = signal.SIGKILL, user: str | None = None
) -> list[str]:
    """A command that runs `argv` until it ends or the thread that started it does."""
    launcher = [sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid())]
    return [*launcher, str(int(death_signal)), user or "-", *argv]


class Child:
    """One run of a command."""

    def __init__(self, command: Command) -> None:
        self.log_file = command.log_file
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._rotate_log()
        argv = dying_with_parent(command.argv, command.death_signal, command.user)
        with self.log_file.open("ab") as log:
            self._log_start = log.tell()
            self._process = _PARENT_THREAD.submit(
                subprocess.Popen,
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(command.env) if command.env is not None else None,
                cwd=command.cwd,
                # Ctrl-C in a terminal reaches the whole group; children are stopped in order.
                start_new_session=True,
            ).result()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number if a signal ended it."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the child is gone."""
        self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended. False if it still runs after `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, grace_seconds: float, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, SIGKILL it after the grace period, and return its exit code."""
        self.send(number)
        if not self.wait(grace_seconds):
            self.kill()
        return self._process.wait()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def last_log_lines(self, count: int = 15) -> str:
        """The end of what this run has logged."""
        with self.log_file.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, log.tell() - 64_000))
            text = log.read().decode(errors="replace")
        # Java's stack frames would push out what happened.
        lines = [line for line in text.splitlines() if not line.startswith("\tat ")]
        return "\n".join(lines[-count:]) or "(nothing logged)"

    def _rotate_log(self) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_BYTES_KEPT:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
