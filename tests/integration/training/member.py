"""A process that `torchrun` starts, or that is killed: a small run of training, not exported.

`python -m tests.integration.training.member FOLDER EPOCHS` takes events.csv and items.csv from the
folder, saves checkpoints in it, and leaves what it measured in metrics.json.
"""

import dataclasses
import json
import sys
from pathlib import Path

import torch

from headrace.training.job import Job
from headrace.training.run import Stages, Trained
from headrace.training.settings import TrainingSettings
from headrace.training.team import Team

_SETTINGS = TrainingSettings(width=16, learning_rate=1e-2, patience=1000)


def trained(folder: Path, epochs: int, checkpoint: Path | None = None) -> Trained | None:
    """On one thread: small matrices gain nothing from two."""
    torch.set_num_threads(1)
    job = Job(
        folder / "events.csv",
        folder / "items.csv",
        folder / "bundle",
        checkpoint=checkpoint,
        checkpoint_every_s=0.1,
    )
    return Stages(job, dataclasses.replace(_SETTINGS, max_epochs=epochs)).train()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    made = trained(place, int(sys.argv[2]), place / "saved")
    if made is None:
        Team.go_home()
    (place / "metrics.json").write_text(json.dumps(made.metrics))
