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


class Train(Protocol):
    """Leaves a bundle at `out`. Returns what a warm start brought; None: it began at random."""

    def __call__(self, prepared: Path, out: Path, start: Start | None) -> Carried | None: ...


@dataclass(frozen=True)
class TrainFor:
    """Trains as `headrace train` does. seconds: from reading the prepared data to the bundle."""

    seconds: float
    settings: TrainingSettings

    def __call__(self, prepared: Path, out: Path, start: Start | None) -> Carried | None:
        interactions, items, holdout = prepared_files(prepared)
        job = Job(
            interactions,
            items,
            out,
            seconds=self.seconds,
            holdout=holdout,
            start=start,
            told=told_of(prepared),
        )
        stages = Stages(job, start.settings(self.settings) if start else self.settings)
        stages.run()
        return stages.carried


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
