"""What a killed run goes on from: one file, replaced at once or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from headrace.errors import DataInvalid, HeadraceError

_NAME = "checkpoint.pt"
# What torch raises for bytes that are no checkpoint.
_DAMAGED = (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError)


class CheckpointFailed(HeadraceError):
    """A checkpoint could not be written or is of no use; the message says why and what to do."""


class Checkpoints:
    """The checkpoint in a folder, of one job: `key` names its data and settings.

    Raises:
        CheckpointFailed: the folder cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        key: str,
        every_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self._key = key
        self._every_s = every_s
        self._clock = clock
        self._saved_at = clock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointFailed(f"{folder}: cannot be made: {error.strerror}") from error

    @property
    def due(self) -> bool:
        return self._clock() - self._saved_at >= self._every_s

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None: nothing yet.

        Raises:
            CheckpointFailed: the file is damaged.
            DataInvalid: it belongs to other data or settings.
        """
        path = self.folder / _NAME
        if not path.exists():
            return None
        try:
            saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except _DAMAGED as error:
            raise CheckpointFailed(f"{path}: cannot be read: {error}; remove it") from error
        if saved["key"] != self._key:
            raise DataInvalid(
                f"{path}: belongs to other interactions, items or settings; "
                "give the same ones to resume, or another --checkpoint folder to start anew"
            )
        return saved

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint.

        Raises:
            CheckpointFailed: the disk is full, say; the checkpoint before is still there.
        """
        path = self.folder / _NAME
        unfinished = path.with_suffix(".unfinished")
        packed = io.BytesIO()  # torch turns the errors of a file into others that name no cause
        torch.save({"key": self._key, **state}, packed)
        try:
            with unfinished.open("wb") as file:
                file.write(packed.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise CheckpointFailed(
                f"{path}: cannot be written: {error.strerror}; the one before is kept: "
                "make room and run the same command to go on from there"
            ) from error
        self._saved_at = self._clock()
