"""What a run of training is asked to do."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

from headrace.training.compute import Compute
from headrace.training.split import Holdout

_ON_CPU = Compute()


@dataclass(frozen=True)
class Job:
    """What to train on, for how long at most, and where the bundle goes.

    `logs` is a folder for TensorBoard.
    """

    interactions: Path
    items: Path | None
    out: Path
    seconds: float = math.inf
    holdout: Holdout = "leave-one-out"
    checkpoint: Path | None = None
    checkpoint_every_s: float = 300.0
    logs: Path | None = None
    compute: Compute = _ON_CPU

    def data_sha256(self) -> str:
        """Of the files as they are."""
        digest = hashlib.sha256()
        for path in (self.interactions, self.items):
            if path is not None:
                with path.open("rb") as file:
                    while block := file.read(2**20):
                        digest.update(block)
        return digest.hexdigest()
