"""Fitting the towers within a budget: judged on validation, saved at times, resumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from headrace.evaluation.metrics import summary
from headrace.evaluation.protocol import rank_targets
from headrace.training.budget import Budget
from headrace.training.checkpoint import Checkpoints
from headrace.training.course import Course
from headrace.training.curve import Curve
from headrace.training.fit import TowerFit
from headrace.training.model import Model
from headrace.training.progress import Progress
from headrace.training.split import Part
from headrace.training.team import Team
from headrace.training.towers import Towers


class TowerStage:
    """The stage that takes nearly all the time.

    `ends` [U] is where learning ends in each history; without `checkpoints` nothing is kept.
    """

    def __init__(
        self,
        model: Model,
        ends: np.ndarray,
        budget: Budget,
        checkpoints: Checkpoints | None,
        team: Team,
    ) -> None:
        self._model = model
        self._budget = budget
        self._checkpoints = checkpoints
        self._team = team
        self._fit = TowerFit(
            model.towers, model.events, model.inputs, ends, model.settings, team=team
        )
        self._curve = Curve(checkpoints.folder / "curve.jsonl" if checkpoints else None)
        validation, most = model.split.validation, model.settings.judged_users
        self._judged = validation if len(validation.users) <= most else _some(model, most)

    def run(
        self,
        saved: dict[str, Any] | None,
        report: Callable[[Progress], None],
        tick: Callable[[], None],
        spent_s: Callable[[], float],
    ) -> Progress:
        """Fit, from `saved` on; `spent_s` is what the whole job has taken, kept for a resume.

        Raises:
            CheckpointFailed: a checkpoint cannot be written.
        """
        if saved is not None:
            self._fit.restore(saved["fit"])
            self._budget = Budget(saved["seconds"], spent=saved["spent_s"])
            if saved["finished"]:
                self._fit.take_best()
                return self._fit.progress

        def reported(at: Progress) -> None:
            self._note(at)
            report(at)

        def ticked() -> None:
            tick()
            if self._checkpoints is not None and self._team.agreed(self._checkpoints.due):
                self._save(spent_s(), finished=False)

        course = Course(self._budget, self._model.settings.max_epochs)
        self._fit.run(course, self._quality, reported, ticked)
        self._save(spent_s(), finished=True)
        return self._fit.progress

    @property
    def events_per_s(self) -> float:
        """Events learned from in a second, judgements and saves included."""
        return self._fit.progress.learned / max(self._budget.elapsed, 1e-9)

    def _quality(self, towers: Towers) -> float:
        questions = self._judged.questions(self._model.log)
        return summary(rank_targets(self._model.scorer(self._judged, towers), questions))["NDCG@10"]

    def _note(self, at: Progress) -> None:
        if not self._team.leads:
            return
        seconds = self._budget.elapsed
        self._curve.add(
            seconds=seconds,
            epochs=at.epochs,
            steps=at.steps,
            loss=at.loss,
            ndcg_at_10=at.quality,
            events_per_s=self.events_per_s,
        )

    def _save(self, job_spent_s: float, *, finished: bool) -> None:
        if self._checkpoints is None:
            return
        state = {
            "fit": self._fit.state(),
            "seconds": self._budget.seconds,
            "spent_s": self._budget.elapsed,
            "job_spent_s": job_spent_s,
            "finished": finished,
        }
        if self._team.leads:
            self._checkpoints.save(state)


def _some(model: Model, most: int) -> Part:
    """A part of validation to judge by often; the whole of it is measured at the end."""
    part = model.split.validation
    chosen = np.random.default_rng(model.settings.seed).permutation(len(part.users))[:most]
    chosen.sort()
    return Part(part.users[chosen], part.positions[chosen])
