"""What a run of training is asked to do."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headrace.training.compute import Compute
from headrace.training.log import EventLog
from headrace.training.publish import Fact
from headrace.training.split import Holdout
from headrace.training.start import Start

_ON_CPU = Compute()


@dataclass(frozen=True)
class Job:
    """What to train on, for how long at most, and where the bundle goes.

    `logs` is a folder for TensorBoard. `start`: a bundle to begin with. `told`: what there is to
    say about the data, for the manifest.
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
    start: Start | None = None
    told: Mapping[str, Fact] = field(default_factory=dict)

    def data_sha256(self, log: EventLog) -> str:
        """Of the files as they are, and of the pictures, as they were read from them."""
        digest = hashlib.sha256()
        for path in (self.interactions, self.items):
            if path is not None:
                with path.open("rb") as file:
                    while block := file.read(2**20):
                        digest.update(block)
        if log.pictures is not None:
            digest.update(log.pictures.data)
        return digest.hexdigest()
