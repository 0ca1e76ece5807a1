"""The stages of training, in order, within the time given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from headrace.bundle import Manifest
from headrace.bundle.manifest import Ranking
from headrace.errors import DataInvalid
from headrace.training.budget import Budget
from headrace.training.carry import Carried, carry_over
from headrace.training.checkpoint import Checkpoints
from headrace.training.data import read_log
from headrace.training.head import HeadResult, fit_head
from headrace.training.job import Job
from headrace.training.kept_back import head_lessons, head_part, learning_ends
from headrace.training.lists import Lists, build_lists
from headrace.training.measure import beats_popularity, held_out, lines, measured, popularity
from headrace.training.memory import peak_gb
from headrace.training.model import Model, build_model
from headrace.training.progress import Progress
from headrace.training.publish import Fact, check_place, publish
from headrace.training.reserve import Reserve, head_s
from headrace.training.screen import Screen
from headrace.training.settings import TrainingSettings
from headrace.training.split import Part, split
from headrace.training.start import Start
from headrace.training.tastes import RatedPart, TasteFit
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from headrace.training.towers import TowerScorer

# Of what the towers leave; fitting ratings takes seconds where the head takes minutes.
_RATINGS_SHARE = 0.2


@dataclass(frozen=True)
class Trained:
    """A model that can be released, in which order it ranks, and what there is to tell of it."""

    model: Model
    ranking: Ranking
    metrics: dict[str, float]
    facts: dict[str, Fact]


class Stages:
    """Runs a job; prints what it finds and shows a bar with the time left.

    `carried`: once the data are read, what a warm start brought; None: begun at random.
    """

    def __init__(self, job: Job, settings: TrainingSettings) -> None:
        self._job = job
        self._settings = settings
        self._team = Team.joined(job.compute)
        self._budget = Budget(job.seconds)
        self._screen = Screen(job.seconds, settings.max_epochs, shown=self._team.leads)
        self.carried: Carried | None = None

    @property
    def spent_s(self) -> float:
        """Seconds so far, with those before a kill."""
        return self._budget.elapsed

    def run(self) -> Manifest | None:
        """The bundle's manifest; None in a process that only helped to fit the towers.

        Raises: DataInvalid, BundleInvalid, CheckpointFailed, Unavailable.
        """
        with self._screen:
            trained = self.train()
            if trained is None:
                return None
            self._stage("exporting")
            manifest = publish(
                trained.model,
                self._job.out,
                ranking=trained.ranking,
                metrics=trained.metrics,
                data_sha256=self._job.data_sha256(trained.model.log),
                training=trained.facts,
            )
            self._screen.at(self._budget.elapsed)
        self._screen.say(
            f"bundle {manifest.model_version} at {self._job.out} after "
            f"{self._budget.elapsed:.0f} s, at most {peak_gb():.2f} GB"
        )
        self._tell(trained)
        return manifest

    def train(self) -> Trained | None:
        """All but the bundle; None in a process that only helped to fit the towers."""
        self._stage("reading")
        check_place(self._job.out)
        model = self._model()
        metrics = popularity(model)
        reserve = Reserve(model, self._retrieved)
        self._stage("towers")
        facts = self._fit_towers(model, reserve)
        self._team.leave()
        if not self._team.leads:
            return None
        # Afresh, so that a resumed run goes on like one that was never killed.
        torch.manual_seed(model.settings.seed)
        self._stage("ratings")
        metrics |= self._fit_ratings(model, reserve)
        self._stage("head")
        retrieved = {"validation": self._retrieved(model, model.split.validation)}
        result = self._fit_head(model, retrieved["validation"][1], reserve)
        self._stage("measuring")
        for name, part in held_out(model).items():
            scorer, lists = retrieved.get(name) or self._retrieved(model, part)
            metrics |= measured(model, name, part, scorer, lists if result.improves else None)
        facts |= {
            "head_epochs": result.epochs,
            "holdout": self._job.holdout,
            "beats_most_popular": beats_popularity(metrics),
            "compute": str(self._job.compute),
            "threads": torch.get_num_threads(),
            "processes": self._team.size,
            "started_from": self.carried.model_version if self.carried else None,
            **self._job.told,
        }
        return Trained(model, "ncf" if result.improves else "retrieval", metrics, facts)

    def _tell(self, trained: Trained) -> None:
        model = trained.model
        for name, part in held_out(model).items():
            for line in lines(name, part, model.split.digest, trained.metrics):
                self._screen.say(line)
        if not trained.facts["beats_most_popular"]:
            self._screen.warn(
                "on validation the bundle is no better than recommending what is most popular; "
                "do not serve it before more time or more data have changed that"
            )

    def _model(self) -> Model:
        log = read_log(self._job.interactions, self._job.items)
        parts = split(log, self._job.holdout)
        if not len(parts.validation.users):
            raise DataInvalid(
                f"{self._job.interactions}: nobody has three interactions or more, "
                "so there is nothing to learn an order from"
            )
        settings = self._settings.scaled(
            len(log.items),
            len(log.catalogue),
            self._job.seconds,
            parallel=self._job.compute.device.type != "cpu",
        )
        start = self._job.start
        model = build_model(log, parts, settings, start)
        self._screen.say(
            f"{log.users:,} people, {len(log.catalogue):,} items, {len(log.items):,} events, "
            f"split {parts.digest[:12]}; {self._job.compute}, {torch.get_num_threads()} threads"
        )
        if start is not None:
            self._begin_with(start, model)
        return model

    def _begin_with(self, start: Start, model: Model) -> None:
        carried = carry_over(start, model)
        self.carried = carried
        self._screen.say(
            f"starts from {carried.model_version}: weights of {carried.items.carried:,} items and "
            f"{carried.words.carried:,} words; {carried.items.new:,} items and "
            f"{carried.words.new:,} words are new"
        )

    def _fit_towers(self, model: Model, reserve: Reserve) -> dict[str, Fact]:
        """What there is to tell about it."""
        checkpoints, saved = self._checkpoints(model)
        stage = TowerStage(
            model,
            learning_ends(model),
            self._towers_budget(model, reserve),
            checkpoints,
            self._team,
            compute=self._job.compute,
            logs=self._job.logs,
            warm=self.carried is not None,
        )
        progress = stage.run(saved, self._show, self._ticked, lambda: self._budget.elapsed)
        point = stage.point()
        self._screen.say(
            f"{progress.epochs} epochs, the one after {progress.best_epoch} kept; "
            f"{point.events_per_s:,.0f} events/s, {point.step_share:.1%} of the time in steps, "
            f"{point.loading_share:.1%} making batches, at most {point.peak_gb:.2f} GB"
        )
        if progress.cut_from(model.settings):
            self._screen.warn(
                f"the time ended the towers after {progress.epochs} of "
                f"{model.settings.max_epochs} epochs; another run will be cut elsewhere"
            )
        return {
            "epochs": progress.epochs,
            "best_epoch": progress.best_epoch,
            "steps": progress.steps,
            "towers_s": point.seconds,
            "events_per_s": point.events_per_s,
            "step_share": point.step_share,
            "loading_share": point.loading_share,
            "peak_gb": point.peak_gb,
        }

    def _checkpoints(self, model: Model) -> tuple[Checkpoints | None, dict[str, Any] | None]:
        """Where to save, and what was saved by a run that did not come to its end."""
        if self._job.checkpoint is None:
            return None, None
        key = f"{self._job.data_sha256(model.log)} {self._job.holdout} {model.split.digest}"
        key += f" {model.settings} processes={self._team.size} {self._job.compute}"
        if self._job.start is not None:
            key += f" from {self._job.start.model_version}"
        checkpoints = Checkpoints(self._job.checkpoint, key, self._job.checkpoint_every_s)
        saved = checkpoints.load()
        if saved is not None:
            spent = saved["job_spent_s"]
            self._budget = Budget(self._job.seconds, spent=spent + self._budget.elapsed)
            self._screen.resume(spent, saved["fit"]["progress"]["epochs"])
            # Sums in another order have other last digits.
            torch.set_num_threads(saved["threads"])
            self._screen.say(
                f"resuming after {spent:.0f} s from {self._job.checkpoint}, "
                f"{saved['threads']} threads as before"
            )
        return checkpoints, saved

    def _show(self, at: Progress) -> None:
        self._screen.note(f"epoch {at.epochs} loss {at.loss:.3f} NDCG@10 {at.quality:.4f}")

    def _ticked(self, passes: float) -> None:
        self._screen.at(self._budget.elapsed, passes)

    def _fit_ratings(self, model: Model, reserve: Reserve) -> dict[str, float]:
        """What is reached: RMSE of held-out ratings, told from training history alone."""
        if model.taste is None or model.head.rating is None:
            return {}
        left = self._budget.left - reserve.publish_s()
        fit = TasteFit(
            model.taste,
            model.head.rating,
            model.log,
            model.split,
            facts=model.facts(),
            seed=model.settings.seed,
        )
        rated = {
            name: RatedPart.of(model.log, model.split, part, model.settings.judged_users)
            for name, part in model.split.held_out.items()
        }
        fit.run(rated["validation"], self._budget.part(_RATINGS_SHARE * left))
        return {f"{name}.RMSE": fit.rmse(part) for name, part in rated.items() if len(part.ratings)}

    def _fit_head(self, model: Model, validation: Lists, reserve: Reserve) -> HeadResult:
        training = [self._retrieved(*lesson)[1] for lesson in head_lessons(model)]
        to_come = reserve.publish_s() + reserve.lists_s(len(model.split.test.users))
        return fit_head(
            model.head,
            training,
            validation,
            budget=self._budget.part(self._budget.left - to_come),
            seed=model.settings.seed,
            max_epochs=model.settings.max_epochs,
            warm=self.carried is not None,
            device=self._job.compute.device,
        )

    def _retrieved(self, model: Model, part: Part) -> tuple[TowerScorer, Lists]:
        width, recent = model.settings.head_candidates, model.settings.recent
        scorer = model.scorer(part, model.towers)
        lists = build_lists(
            model.log, model.facts(), scorer.users, part, width=width, recent=recent
        )
        return scorer, lists

    def _towers_budget(self, model: Model, reserve: Reserve) -> Budget:
        """What is left when the stages to come have theirs."""
        parts = (model.split.validation, model.split.test, head_part(model))
        to_come = reserve.publish_s() + reserve.lists_s(*(len(part.users) for part in parts))
        # A very short job still gets a fitting: a third of its time.
        left = max(self._budget.left - to_come, self._job.seconds / 3 - self._budget.elapsed)
        return self._budget.part(left - head_s(left))

    def _stage(self, name: str) -> None:
        self._screen.stage(name)
        self._screen.at(self._budget.elapsed)
