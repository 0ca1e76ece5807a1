"""What people see of a run: lines on stdout, warnings and a bar with the time left on stderr."""

from __future__ import annotations

import math
import sys

from tqdm import tqdm


class Screen:
    """A bar over `seconds`, or over passes where their number is what ends the run.

    A process that only helps shows nothing.
    """

    def __init__(self, seconds: float, epochs: int | None, *, shown: bool) -> None:
        self._by_time = epochs is None and math.isfinite(seconds)
        self._shown = shown
        self._bar = tqdm(
            total=round(seconds) if self._by_time else epochs,
            unit="s" if self._by_time else "epoch",
            file=sys.stderr,
            disable=not shown,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}",
        )

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def resume(self, spent_s: float, epochs: int) -> None:
        """Take what an earlier run did as done, and the time left from what this one does."""
        self._bar.initial = spent_s if self._by_time else epochs
        self.at(spent_s, epochs)

    def stage(self, name: str) -> None:
        self._bar.set_description_str(f"{name:<9}")
        self.note("")

    def note(self, text: str) -> None:
        """Beside the bar."""
        self._bar.set_postfix_str(text)

    def at(self, spent_s: float, passes: float | None = None) -> None:
        """Move the bar; without `passes` they stay where they are."""
        done = spent_s if self._by_time else passes
        if done is not None and self._bar.total is not None:
            self._bar.n = round(min(done, self._bar.total), 2)
        self._bar.update(0)

    def say(self, line: str) -> None:
        if self._shown:
            self._bar.write(line, file=sys.stdout)

    def warn(self, line: str) -> None:
        if self._shown:
            self._bar.write(f"warning: {line}", file=sys.stderr)
