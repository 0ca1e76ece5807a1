"""One run, from the question whether there is reason for it to the proposal of a better model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from headrace.bundle import Bundle
from headrace.errors import FailedPrecondition
from headrace.release.live import live_model
from headrace.release.registry import Registry
from headrace.release.stages import to_propose
from headrace.retraining.keeping import put
from headrace.retraining.news import Cuts, News
from headrace.retraining.reasons import Standing, Triggers, new_since, reasons
from headrace.retraining.record import Ended
from headrace.retraining.report import TEXT, Report
from headrace.retraining.training import Train, start_or_why_not
from headrace.retraining.trial import MAIN, judge, try_both
from headrace.training.data import read_log
from headrace.training.newest import FACT
from headrace.training.preparation import PreparationSettings, postgres_sources, prepare
from headrace.training.split import split


@dataclass(frozen=True)
class Terms:
    """What a run is told.

    bundles: URL of the folder that gets candidates and reports. held_out: the newest share of what
    is new to the live model, for the trial, and as much again to choose weights by. fewest_people:
    in the trial. margin: of NDCG@10, see `trial.judge`. anyway: without a reason. warm: from the
    live model's weights. keep: the bundle too where it is not better.
    """

    bundles: str
    triggers: Triggers
    held_out: float = 0.2
    fewest_people: int = 100
    margin: float = 0.0
    anyway: bool = False
    warm: bool = True
    keep: bool = False
    seed: int = 0


@dataclass(frozen=True)
class _Live:
    """The live model, where it lies, where it stands, and why to train. unseen: it cannot have
    learned from the trial's events."""

    bundle: Bundle
    url: str
    standing: Standing
    reasons: tuple[str, ...]
    unseen: bool


class Retraining:
    """propose: takes the URL of a better bundle to the registry. say: for people who watch."""

    def __init__(
        self,
        dsn: str,
        registry: Registry,
        news: News,
        *,
        train: Train,
        propose: Callable[[str], None],
        terms: Terms,
        say: Callable[[str], None],
    ) -> None:
        self._dsn = dsn
        self._registry = registry
        self._news = news
        self._train = train
        self._propose = propose
        self._terms = terms
        self._say = say

    def run(self) -> Ended:
        """Raises: FailedPrecondition, BundleInvalid, DataInvalid, Unavailable."""
        active = self._registry.active()
        try:
            to_propose(active)
        except FailedPrecondition as taken:
            return Ended("idle", str(taken))
        url = live_model(active, self._registry.running()).bundle_url
        bundle = Bundle.load(url)
        standing = self._standing(bundle)
        self._say(standing.line())
        found = reasons(standing, self._terms.triggers)
        if not found and not self._terms.anyway:
            return Ended("idle", f"no reason: {standing.line()}", bundle.model_version)
        since = new_since(standing, self._terms.triggers)
        why = tuple(found or ["asked for, without another reason"])
        live = _Live(bundle, url, standing, why, unseen=since is not None)
        for reason in live.reasons:
            self._say(f"reason: {reason}")
        cuts = self._news.cuts(since, self._terms.held_out)
        if cuts is None:
            return Ended(
                "idle", "what is new is of one moment: no part of it is newer", bundle.model_version
            )
        with tempfile.TemporaryDirectory(prefix="headrace-retrain-") as scratch:
            return self._candidate(live, cuts, Path(scratch))

    def _standing(self, live: Bundle) -> Standing:
        told = live.manifest.training.get(FACT)
        since = datetime.fromisoformat(str(told or live.manifest.created_at))
        now = datetime.now(UTC)
        return Standing(
            since,
            exact=told is not None,
            events=self._news.events(since),
            drift=self._news.drift(since, now, live.known.table),
        )

    def _candidate(self, live: _Live, cuts: Cuts, scratch: Path) -> Ended:
        terms = self._terms
        prepared, out = scratch / "prepared", scratch / "bundle"
        settings = PreparationSettings(split="time", cuts=(cuts.validation, cuts.test))
        with postgres_sources(self._dsn) as (interactions, items):
            made = prepare(interactions, items, prepared, settings)
        log = read_log(prepared)
        parts = split(log, "prepared")
        people = len(parts.test.users)
        if people < terms.fewest_people or not len(parts.validation.users):
            return Ended(
                "idle",
                f"only {people:,} people did something in the newest part that follows on "
                f"something else; a trial wants {terms.fewest_people:,}",
                live.bundle.model_version,
            )
        start, anew = None, "it was asked for"
        if not live.unseen:
            anew = "by the live model's weights it would know what the trial asks"
        elif terms.warm:
            start, anew = start_or_why_not(live.url, [item.item_id for item in log.catalogue])
        carried = self._train(prepared, out, start)
        candidate = Bundle.load(str(out))
        trial = try_both(live.bundle, candidate, log, parts.test, seed=terms.seed)
        verdict = judge(trial, terms.margin)
        assert made.outcome is not None  # prepared to the end
        report = Report(
            made_at=datetime.now(UTC),
            live_version=live.bundle.model_version,
            live_url=live.url,
            candidate_version=candidate.model_version,
            reasons=live.reasons,
            standing=live.standing,
            unseen=live.unseen,
            parts=made.outcome.parts,
            cuts=cuts,
            carried=carried,
            anew=anew,
            training=candidate.manifest.training,
            most_popular=candidate.manifest.metrics.get(f"most_popular.test.{MAIN}"),
            trial=trial,
            verdict=verdict,
        )
        kept = out if verdict.better or terms.keep else scratch / "report"
        report.write(kept)
        url = put(kept, terms.bundles, candidate.model_version)
        if verdict.better:
            self._propose(url)
        return Ended(
            "proposed" if verdict.better else "not_better",
            verdict.why,
            live.bundle.model_version,
            candidate.model_version,
            f"{url}/{TEXT}",
        )
