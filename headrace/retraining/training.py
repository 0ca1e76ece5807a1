"""Making a candidate from prepared data, from the beginning or from the live model's weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from headrace.errors import FailedPrecondition
from headrace.training.carry import Carried
from headrace.training.data import prepared_files
from headrace.training.job import Job
from headrace.training.newest import told_of
from headrace.training.run import Stages
from headrace.training.settings import TrainingSettings
from headrace.training.start import Start


@dataclass(frozen=True)
class Task:
    """A bundle is to be made at `out`. seconds: from reading the prepared data to the bundle.
    start: None: to begin at random. checkpoint: folder to save to, and to go on from."""

    prepared: Path
    out: Path
    seconds: float
    start: Start | None
    checkpoint: Path


@dataclass(frozen=True)
class Made:
    """What a warm start brought, None: it began at random; and what it took, with what was spent
    before a kill."""

    carried: Carried | None
    seconds: float


class Train(Protocol):
    """Leaves a bundle where the task says."""

    def __call__(self, task: Task) -> Made: ...


@dataclass(frozen=True)
class Training:
    """Trains as `headrace train` does."""

    settings: TrainingSettings
    checkpoint_every_s: float

    def __call__(self, task: Task) -> Made:
        interactions, items, holdout = prepared_files(task.prepared)
        job = Job(
            interactions,
            items,
            task.out,
            seconds=task.seconds,
            holdout=holdout,
            checkpoint=task.checkpoint,
            checkpoint_every_s=self.checkpoint_every_s,
            start=task.start,
            told=told_of(task.prepared),
        )
        start = task.start
        stages = Stages(job, start.settings(self.settings) if start else self.settings)
        stages.run()
        return Made(stages.carried, stages.spent_s)


def start_or_why_not(url: str, item_ids: list[str]) -> tuple[Start | None, str]:
    """The weights of the bundle at `url`, or why nothing can start from there.

    Raises: BundleInvalid.
    """
    try:
        start = Start.read(url)
    except FailedPrecondition as error:
        return None, str(error)
    if not start.knows_any(item_ids):
        return None, f"{start.model_version} knows none of the items"
    return start, ""
