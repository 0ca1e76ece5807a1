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
from headrace.training.settings import TrainingSettings
from headrace.training.split import Holdout, Part, split
from headrace.training.tower_stage import TowerStage
from headrace.training.towers import TowerScorer

# Exporting and checking four graphs takes 8 s on two idle cores and 20 s on busy ones.
_PUBLISH_S = 25.0
_TOWERS_SHARE = 0.8


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
        self._budget = Budget(job.seconds)
        self._bar = tqdm(
            total=round(job.seconds),
            unit="s",
            file=sys.stderr,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}",
        )

    def run(self) -> Manifest:
        """Raises: DataInvalid, BundleInvalid, CheckpointFailed."""
        with self._bar:
            self._stage("reading")
            model = self._model()
            metrics = popularity(model)
            checkpoints, saved = self._checkpoints(model)
            self._stage("towers")
            progress = TowerStage(
                model,
                self._learning_ends(model),
                self._fitting_budget(_TOWERS_SHARE),
                checkpoints,
            ).run(saved, self._show, self._tick, lambda: self._budget.elapsed)
            # Afresh, so that a resumed run goes on like one that was never killed.
            torch.manual_seed(model.settings.seed)
            self._stage("head")
            scorer, validation = self._retrieved(model, model.split.validation)
            result = self._fit_head(model, validation)
            self._stage("measuring")
            for name, part in held_out(model).items():
                if name != "validation":
                    scorer, lists = self._retrieved(model, part)
                else:
                    lists = validation
                metrics |= measured(model, name, part, scorer, lists if result.improves else None)
            self._stage("exporting")
            manifest = publish(
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

    def _checkpoints(self, model: Model) -> tuple[Checkpoints | None, dict[str, Any] | None]:
        """Where to save, and what was saved by a run that did not come to its end."""
        if self._job.checkpoint is None:
            return None, None
        key = f"{_sha256(self._job.interactions, self._job.items)} {self._job.holdout}"
        key += f" {model.split.digest} {model.settings}"
        checkpoints = Checkpoints(self._job.checkpoint, key, self._job.checkpoint_every_s)
        saved = checkpoints.load()
        if saved is not None:
            spent = saved["job_spent_s"]
            self._budget = Budget(self._job.seconds, spent=spent + self._budget.elapsed)
            self._say(f"resuming after {spent:.0f} s from {self._job.checkpoint}")
        return checkpoints, saved

    def _show(self, at: Progress) -> None:
        self._bar.set_postfix_str(f"epoch {at.epochs} loss {at.loss:.3f} NDCG@10 {at.quality:.4f}")

    def _fit_head(self, model: Model, validation: Lists) -> HeadResult:
        _, training = self._retrieved(model, self._head_part(model))
        return fit_head(
            model.head,
            training,
            validation,
            budget=self._fitting_budget(1.0),
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

    def _fitting_budget(self, share: float) -> Budget:
        """A share of the time left before the bundle must be written."""
        # A very short job still gets a fitting: a third of its time.
        left = max(self._budget.left - _PUBLISH_S, self._job.seconds / 3 - self._budget.elapsed)
        return self._budget.part(share * left)

    def _stage(self, name: str) -> None:
        self._bar.set_description_str(f"{name:<9}")
        self._bar.set_postfix_str("")
        self._tick()

    def _tick(self) -> None:
        self._bar.n = min(round(self._budget.elapsed), round(self._job.seconds))
        self._bar.update(0)

    def _say(self, line: str) -> None:
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
