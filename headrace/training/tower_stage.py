"""Fitting the towers within a budget: judged on validation, saved at times, resumed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headrace.evaluation.metrics import summary
from headrace.evaluation.protocol import rank_targets
from headrace.training.budget import Budget
from headrace.training.checkpoint import Checkpoints
from headrace.training.compute import Compute
from headrace.training.course import Course
from headrace.training.curve import Curve, Point
from headrace.training.fit import TowerFit
from headrace.training.memory import peak_gb
from headrace.training.model import Model
from headrace.training.progress import Progress
from headrace.training.split import Part
from headrace.training.team import Team
from headrace.training.towers import Towers

_ON_CPU = Compute()


class TowerStage:
    """The stage that takes nearly all the time. It leaves the towers on the CPU.

    `ends` [U] is where learning ends in each history; without `checkpoints` nothing is kept, and
    without `logs` there is nothing for TensorBoard. `warm`: the weights that the towers come with
    are judged as well, and stay where none become better.
    """

    def __init__(
        self,
        model: Model,
        ends: np.ndarray,
        budget: Budget,
        checkpoints: Checkpoints | None,
        team: Team,
        *,
        compute: Compute = _ON_CPU,
        logs: Path | None = None,
        warm: bool = False,
    ) -> None:
        # Judged where they are fitted.
        model = dataclasses.replace(
            model, inputs=compute.inputs(model.inputs), events=model.events.on(compute.device)
        )
        self._model = model
        self._budget = budget
        self._checkpoints = checkpoints
        self._team = team
        self._compute = compute
        self._warm = warm
        self._fit = TowerFit(
            model.towers,
            model.events,
            model.inputs,
            ends,
            model.settings,
            team=team,
            compute=compute,
        )
        self._curve = Curve(checkpoints.folder / "curve.jsonl" if checkpoints else None, logs)
        validation, most = model.split.validation, model.settings.judged_users
        self._judged = validation if len(validation.users) <= most else _some(model, most)

    def run(
        self,
        saved: dict[str, Any] | None,
        report: Callable[[Progress], None],
        tick: Callable[[float], None],
        spent_s: Callable[[], float],
    ) -> Progress:
        """Fit, from `saved` on; `spent_s` is what the whole job has taken, kept for a resume.

        `report` is called after each judgement, `tick` after each step with the passes so far.

        Raises:
            CheckpointFailed: a checkpoint cannot be written.
        """
        if saved is not None:
            self._fit.restore(saved["fit"])
            self._budget = Budget(saved["seconds"], spent=saved["spent_s"])
            if saved["finished"]:
                self._fit.take_best()
                return self._ended()

        def reported(at: Progress) -> None:
            self._note()
            report(at)

        def ticked(passes: float) -> None:
            tick(passes)
            if self._checkpoints is not None and self._team.agreed(self._checkpoints.due):
                self._save(spent_s(), finished=False)

        course = Course(self._budget, self._model.settings.max_epochs)
        self._fit.run(course, self._quality, reported, ticked, judge_first=self._warm)
        self._save(spent_s(), finished=True)
        return self._ended()

    def _ended(self) -> Progress:
        self._curve.close()
        self._model.towers.cpu()
        return self._fit.progress

    def point(self) -> Point:
        """Where the towers stand, with judgements and saves in the time."""
        at, seconds = self._fit.progress, max(self._budget.elapsed, 1e-9)
        return Point(
            seconds=seconds,
            epochs=at.epochs,
            steps=at.steps,
            loss=at.loss,
            learning_rate=at.rate,
            ndcg_at_10=at.quality,
            events_per_s=at.learned / seconds,
            step_share=at.stepping_s / seconds,
            loading_share=at.loading_s / seconds,
            peak_gb=peak_gb(),
            gpu_peak_gb=self._compute.peak_bytes() / 1e9,
        )

    def _quality(self, towers: Towers) -> float:
        questions = self._judged.questions(self._model.log)
        return summary(rank_targets(self._model.scorer(self._judged, towers), questions))["NDCG@10"]

    def _note(self) -> None:
        if self._team.leads:
            self._curve.add(self.point())

    def _save(self, job_spent_s: float, *, finished: bool) -> None:
        if self._checkpoints is None:
            return
        state = {
            "fit": self._fit.state(),
            "seconds": self._budget.seconds,
            "spent_s": self._budget.elapsed,
            "job_spent_s": job_spent_s,
            "threads": torch.get_num_threads(),
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
