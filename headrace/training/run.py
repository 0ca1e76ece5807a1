"""The stages of training, in order, within the time given."""

from __future__ import annotations

import hashlib
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor
from tqdm import tqdm

from headrace.bundle import Manifest
from headrace.errors import DataInvalid
from headrace.evaluation.metrics import Ranks, summary
from headrace.evaluation.popular import MostPopular
from headrace.evaluation.protocol import rank_targets
from headrace.training.budget import Budget
from headrace.training.data import read_log
from headrace.training.fit import TowerFit
from headrace.training.head import HeadResult, fit_head, list_ranks
from headrace.training.lists import Lists, build_lists
from headrace.training.model import Model, build_model
from headrace.training.publish import publish
from headrace.training.settings import TrainingSettings
from headrace.training.split import Holdout, Part, split
from headrace.training.towers import Towers

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
        """Raises: DataInvalid, BundleInvalid."""
        with self._bar:
            self._stage("reading")
            model = self._model()
            popular = self._popularity(model)
            epochs = self._fit_towers(model)
            result = self._fit_head(model)
            self._stage("measuring")
            metrics = {**popular, **self._measure(model, result)}
            self._stage("exporting")
            manifest = publish(
                model,
                self._job.out,
                ranking="ncf" if result.improves else "retrieval",
                metrics=metrics,
                data_sha256=_sha256(self._job.interactions, self._job.items),
                training={
                    "epochs": epochs,
                    "head_epochs": result.epochs,
                    "holdout": self._job.holdout,
                },
            )
            self._tick()
        self._say(
            f"bundle {manifest.model_version} at {self._job.out} after "
            f"{self._budget.elapsed:.0f} s, at most {_peak_gb():.2f} GB"
        )
        for part in ("validation", "test"):
            if f"{part}.HR@10" in metrics:
                self._say(_line(part, model, metrics))
        return manifest

    def _model(self) -> Model:
        log = read_log(self._job.interactions, self._job.items)
        parts = split(log, self._job.holdout)
        if not len(parts.validation.users):
            raise DataInvalid(
                f"{self._job.interactions}: nobody has three interactions or more, "
                "so there is nothing to learn an order from"
            )
        model = build_model(log, parts, self._settings)
        self._say(
            f"{log.users:,} people, {len(log.catalogue):,} items, {len(log.items):,} events, "
            f"split {parts.digest[:12]}"
        )
        return model

    def _popularity(self, model: Model) -> dict[str, float]:
        metrics: dict[str, float] = {}
        for name, part in _held_out(model).items():
            ranks = rank_targets(MostPopular(model.counts), part.questions(model.log))
            metrics |= _named(f"most_popular.{name}", ranks)
        return metrics

    def _fit_towers(self, model: Model) -> int:
        self._stage("towers")
        questions = model.split.validation.questions(model.log)

        def quality(towers: Towers) -> float:
            ranks = rank_targets(model.scorer(model.split.validation, towers), questions)
            return summary(ranks)["NDCG@10"]

        def report(epoch: int, loss: float, value: float) -> None:
            self._bar.set_postfix_str(f"epoch {epoch} loss {loss:.3f} NDCG@10 {value:.4f}")

        fit = TowerFit(
            model.towers, model.events, model.inputs, self._learning_ends(model), self._settings
        )
        return fit.run(self._fitting_budget(_TOWERS_SHARE), quality, report, self._tick)

    def _fit_head(self, model: Model) -> HeadResult:
        self._stage("head")
        training, validation = (
            self._lists(model, part, model.scorer(part, model.towers).users)
            for part in (self._head_part(model), model.split.validation)
        )
        return fit_head(
            model.head,
            training,
            validation,
            budget=self._fitting_budget(1.0),
            seed=self._settings.seed,
            max_epochs=self._settings.max_epochs,
        )

    def _measure(self, model: Model, result: HeadResult) -> dict[str, float]:
        """Of retrieval, and of what is served: the head's order where it improves."""
        metrics: dict[str, float] = {}
        for name, part in _held_out(model).items():
            scorer = model.scorer(part, model.towers)
            ranks = rank_targets(scorer, part.questions(model.log))
            metrics |= _named(f"retrieval.{name}", ranks)
            if result.improves:
                ranks = list_ranks(model.head, self._lists(model, part, scorer.users))
            metrics |= _named(name, ranks)
        return metrics

    def _lists(self, model: Model, part: Part, users: Tensor) -> Lists:
        width, recent = self._settings.head_candidates, self._settings.recent
        return build_lists(model.log, model.facts(), users, part, width=width, recent=recent)

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


def _held_out(model: Model) -> dict[str, Part]:
    parts = {"validation": model.split.validation, "test": model.split.test}
    return {name: part for name, part in parts.items() if len(part.users)}


def _named(prefix: str, ranks: Ranks) -> dict[str, float]:
    return {f"{prefix}.{name}": value for name, value in summary(ranks).items()}


def _line(part: str, model: Model, metrics: dict[str, float]) -> str:
    popular, retrieval = metrics[f"most_popular.{part}.HR@10"], metrics[f"retrieval.{part}.HR@10"]
    return (
        f"{part} most popular: HR@10={popular:.4f} "
        f"NDCG@10={metrics[f'most_popular.{part}.NDCG@10']:.4f}; retrieval: HR@10={retrieval:.4f} "
        f"NDCG@10={metrics[f'retrieval.{part}.NDCG@10']:.4f}\n"
        f"{part} users={len(_held_out(model)[part].users)} HR@10={metrics[f'{part}.HR@10']:.4f} "
        f"NDCG@10={metrics[f'{part}.NDCG@10']:.4f} split={model.split.digest[:12]}"
    )


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
