"""The stages of training, in order, within the time given."""

from __future__ import annotations

import hashlib
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from headrace.bundle import Manifest
from headrace.errors import DataInvalid
from headrace.training.budget import Budget
from headrace.training.checkpoint import Checkpoints
from headrace.training.data import read_log
from headrace.training.head import HeadResult, fit_head
from headrace.training.lists import Lists, build_lists
from headrace.training.measure import held_out, lines, measured, popularity
from headrace.training.model import Model, build_model
from headrace.training.progress import Progress
from headrace.training.publish import publish
from headrace.training.reserve import Reserve, head_s
from headrace.training.settings import TrainingSettings
from headrace.training.split import Holdout, Part, split
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from headrace.training.towers import TowerScorer


@dataclass(frozen=True)
class Job:
    """What to train on, for how long, and where the bundle goes."""

    interactions: Path
    items: Path | None
    out: Path
    seconds: float
    holdout: Holdout
    checkpoint: Path | None = None
    checkpoint_every_s: float = 300.0


class Stages:
    """Runs a job; prints what it finds and shows a bar with the time left."""

    def __init__(self, job: Job, settings: TrainingSettings) -> None:
        self._job = job
        self._settings = settings
        self._team = Team.joined()
        self._budget = Budget(job.seconds)
        self._bar = tqdm(
            total=round(job.seconds),
            unit="s",
            file=sys.stderr,
            disable=not self._team.leads,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}",
        )

    def run(self) -> Manifest | None:
        """The bundle's manifest; None in a process that only helped to fit the towers.

        Raises: DataInvalid, BundleInvalid, CheckpointFailed.
        """
        with self._bar:
            self._stage("reading")
            model = self._model()
            metrics = popularity(model)
            reserve = Reserve(model, self._retrieved)
            self._stage("towers")
            progress = self._fit_towers(model, reserve)
            self._team.leave()
            if not self._team.leads:
                return None
            # Afresh, so that a resumed run goes on like one that was never killed.
            torch.manual_seed(model.settings.seed)
            self._stage("head")
            retrieved = {"validation": self._retrieved(model, model.split.validation)}
            result = self._fit_head(model, retrieved["validation"][1], reserve)
            self._stage("measuring")
            for name, part in held_out(model).items():
                scorer, lists = retrieved.get(name) or self._retrieved(model, part)
                metrics |= measured(model, name, part, scorer, lists if result.improves else None)
            self._stage("exporting")
            manifest = self._publish(model, progress, result, metrics)
            self._tick()
        self._say(
            f"bundle {manifest.model_version} at {self._job.out} after "
            f"{self._budget.elapsed:.0f} s, at most {_peak_gb():.2f} GB"
        )
        for name, part in held_out(model).items():
            for line in lines(name, part, model.split.digest, metrics):
                self._say(line)
        return manifest

    def _model(self) -> Model:
        log = read_log(self._job.interactions, self._job.items)
        parts = split(log, self._job.holdout)
        if not len(parts.validation.users):
            raise DataInvalid(
                f"{self._job.interactions}: nobody has three interactions or more, "
                "so there is nothing to learn an order from"
            )
        settings = self._settings.scaled(len(log.items), len(log.catalogue), self._job.seconds)
        model = build_model(log, parts, settings)
        self._say(
            f"{log.users:,} people, {len(log.catalogue):,} items, {len(log.items):,} events, "
            f"split {parts.digest[:12]}"
        )
        return model

    def _fit_towers(self, model: Model, reserve: Reserve) -> Progress:
        checkpoints, saved = self._checkpoints(model)
        stage = TowerStage(
            model,
            self._learning_ends(model),
            self._towers_budget(model, reserve),
            checkpoints,
            self._team,
        )
        progress = stage.run(saved, self._show, self._tick, lambda: self._budget.elapsed)
        self._say(
            f"{progress.epochs} epochs, the one after {progress.best_epoch} kept; "
            f"{stage.events_per_s:,.0f} events/s"
        )
        return progress

    def _checkpoints(self, model: Model) -> tuple[Checkpoints | None, dict[str, Any] | None]:
        """Where to save, and what was saved by a run that did not come to its end."""
        if self._job.checkpoint is None:
            return None, None
        key = f"{_sha256(self._job.interactions, self._job.items)} {self._job.holdout}"
        key += f" {model.split.digest} {model.settings} processes={self._team.size}"
        checkpoints = Checkpoints(self._job.checkpoint, key, self._job.checkpoint_every_s)
        saved = checkpoints.load()
        if saved is not None:
            spent = saved["job_spent_s"]
            self._budget = Budget(self._job.seconds, spent=spent + self._budget.elapsed)
            self._say(f"resuming after {spent:.0f} s from {self._job.checkpoint}")
        return checkpoints, saved

    def _show(self, at: Progress) -> None:
        self._bar.set_postfix_str(f"epoch {at.epochs} loss {at.loss:.3f} NDCG@10 {at.quality:.4f}")

    def _fit_head(self, model: Model, validation: Lists, reserve: Reserve) -> HeadResult:
        _, training = self._retrieved(model, self._head_part(model))
        to_come = reserve.publish_s() + reserve.lists_s(len(model.split.test.users))
        return fit_head(
            model.head,
            training,
            validation,
            budget=self._budget.part(self._budget.left - to_come),
            seed=model.settings.seed,
            max_epochs=model.settings.max_epochs,
        )

    def _retrieved(self, model: Model, part: Part) -> tuple[TowerScorer, Lists]:
        width, recent = model.settings.head_candidates, model.settings.recent
        scorer = model.scorer(part, model.towers)
        lists = build_lists(
            model.log, model.facts(), scorer.users, part, width=width, recent=recent
        )
        return scorer, lists

    def _publish(
        self, model: Model, progress: Progress, result: HeadResult, metrics: dict[str, float]
    ) -> Manifest:
        return publish(
            model,
            self._job.out,
            ranking="ncf" if result.improves else "retrieval",
            metrics=metrics,
            data_sha256=_sha256(self._job.interactions, self._job.items),
            training={
                "epochs": progress.epochs,
                "best_epoch": progress.best_epoch,
                "head_epochs": result.epochs,
                "holdout": self._job.holdout,
            },
        )

    def _learning_ends(self, model: Model) -> np.ndarray:
        """Where the towers stop learning in each history: the head learns beyond.

        Short histories give nothing to the head: the towers need them whole.
        """
        lengths = model.split.train_ends - model.log.offsets[:-1]
        kept = np.minimum(self._settings.head_events, lengths // 10)
        ends: np.ndarray = model.split.train_ends - kept
        return ends

    def _head_part(self, model: Model) -> Part:
        """The events that the towers left out, at most so many."""
        ends = self._learning_ends(model)
        kept = model.split.train_ends - ends
        users = np.repeat(np.arange(model.log.users), kept)
        first = np.cumsum(kept) - kept
        positions = ends[users] + np.arange(len(users)) - first[users]
        chosen = np.random.default_rng(self._settings.seed).permutation(len(users))
        chosen = np.sort(chosen[: self._settings.head_lists])
        return Part(users[chosen], positions[chosen])

    def _towers_budget(self, model: Model, reserve: Reserve) -> Budget:
        """What is left when the stages to come have theirs."""
        parts = (model.split.validation, model.split.test, self._head_part(model))
        to_come = reserve.publish_s() + reserve.lists_s(*(len(part.users) for part in parts))
        # A very short job still gets a fitting: a third of its time.
        left = max(self._budget.left - to_come, self._job.seconds / 3 - self._budget.elapsed)
        return self._budget.part(left - head_s(left))

    def _stage(self, name: str) -> None:
        self._bar.set_description_str(f"{name:<9}")
        self._bar.set_postfix_str("")
        self._tick()

    def _tick(self) -> None:
        self._bar.n = min(round(self._budget.elapsed), round(self._job.seconds))
        self._bar.update(0)

    def _say(self, line: str) -> None:
        if self._team.leads:
            self._bar.write(line, file=sys.stdout)


def _sha256(*paths: Path | None) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if path is not None:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _peak_gb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return peak / (1e9 if sys.platform == "darwin" else 1e6)
