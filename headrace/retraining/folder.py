"""The folder of a run: what it has so far, so that the same command goes on after a kill."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from headrace.errors import DataInvalid, Unavailable
from headrace.retraining.news import Cuts
from headrace.retraining.plan import Plan
from headrace.retraining.reasons import Standing

# A run that was left for so long is not gone on with: the trial is about the newest events.
_STALE_S = 12 * 3_600.0
_STATE = "run.json"


@dataclass(frozen=True)
class Cause:
    """Why to train, and on what. standing: the live model's. unseen: it cannot have learned from
    the trial's events."""

    standing: Standing
    reasons: tuple[str, ...]
    unseen: bool
    cuts: Cuts


@dataclass(frozen=True)
class Memory:
    """plan: None until the data are prepared and the trial is rehearsed."""

    cause: Cause
    plan: Plan | None = None


class RunFolder:
    """Holds the run of one `command`. `prepared`, `checkpoint` and `bundle` are left by preparation
    and training, whole or not at all; `report` is where the report goes of what is not kept.
    """

    def __init__(self, root: Path, command: str, now: Callable[[], float] = time.time) -> None:
        self._root, self._command, self._now = root, command, now
        self._state = root / _STATE
        self._unfinished = self._state.with_suffix(".unfinished")
        self.prepared, self.checkpoint = root / "prepared", root / "checkpoint"
        self.bundle, self.report = root / "bundle", root / "report"

    def memory(self, live: str) -> Memory | None:
        """Of a run by this command against this live model; what others left is removed.

        Raises:
            DataInvalid: the folder holds something else.
            Unavailable: nothing can be written to it.
        """
        if not self._state.exists():
            self._refuse_foreign()
            return None
        told = json.loads(self._state.read_text(encoding="utf-8"))
        ours = (told["command"], told["live"]) == (self._command, live)
        if not ours or self._now() - self._last_touched() > _STALE_S:
            self.empty()
            return None
        self._sweep()
        return _memory(told)

    def keep(self, live: str, memory: Memory) -> None:
        """Replaces what was kept. Raises: Unavailable."""
        told = {"command": self._command, "live": live, **dataclasses.asdict(memory)}
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            text = json.dumps(told, default=datetime.isoformat)
            self._unfinished.write_text(text, encoding="utf-8")
            self._unfinished.replace(self._state)
        except OSError as error:
            raise self._cannot_write(error) from error

    def empty(self) -> None:
        """Nothing of a run stays, and all of what is somebody else's. Raises: Unavailable."""
        if not self._state.exists():
            return
        try:
            for path in self._root.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path != self._state:
                    path.unlink()
            self._state.unlink()  # last: a folder without it is somebody else's
        except OSError as error:
            raise self._cannot_write(error) from error

    def _sweep(self) -> None:
        """Preparation and training put files beside their place until they are whole."""
        for path in self._root.glob(".*"):
            shutil.rmtree(path)

    def _refuse_foreign(self) -> None:
        there = set(self._root.iterdir()) if self._root.exists() else set()
        if there - {self._unfinished}:
            raise DataInvalid(
                f"{self._root}: holds something else than a run of `headrace retrain`; name "
                "another folder"
            )

    def _last_touched(self) -> float:
        return max(path.stat().st_mtime for path in self._root.rglob("*"))

    def _cannot_write(self, error: OSError) -> Unavailable:
        return Unavailable(f"{self._root}: cannot be written: {error.strerror or error}")


def _memory(told: dict[str, Any]) -> Memory:
    cause, plan = told["cause"], told["plan"]
    standing = cause["standing"]
    since = datetime.fromisoformat(standing["since"])
    return Memory(
        Cause(
            Standing(**{**standing, "since": since}),
            tuple(cause["reasons"]),
            cause["unseen"],
            Cuts(**cause["cuts"]),
        ),
        Plan(**plan) if plan else None,
    )
