"""One run, from the question whether there is reason for it to the proposal of a better model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

import numpy as np

from headrace.bundle import Bundle
from headrace.errors import FailedPrecondition
from headrace.release.live import live_model
from headrace.release.registry import Registry
from headrace.release.stages import to_propose
from headrace.retraining.folder import Cause, Memory, RunFolder
from headrace.retraining.keeping import put
from headrace.retraining.news import News
from headrace.retraining.plan import Plan, planned
from headrace.retraining.reasons import Standing, Triggers, new_since, reasons
from headrace.retraining.record import Ended
from headrace.retraining.report import TEXT, Report, Times
from headrace.retraining.training import Task, Train, start_or_why_not
from headrace.retraining.trial import judge, rehearse, try_both
from headrace.training.budget import Budget
from headrace.training.data import read_log
from headrace.training.log import EventLog
from headrace.training.newest import FACT
from headrace.training.preparation import PreparationSettings, postgres_sources, prepare
from headrace.training.preparation.splits import PART_NAMES
from headrace.training.split import Split, split


@dataclass(frozen=True)
class Terms:
    """What a run is told.

    bundles: URL of the folder that gets candidates and reports. seconds: for everything. held_out:
    the newest share of what is new to the live model, for the trial, and as much again to choose
    weights by. fewest_people: in the trial. margin: of NDCG@10, see `trial.judge`. anyway: without
    a reason. warm: from the live model's weights. keep: the bundle too where it is not better.
    """

    bundles: str
    triggers: Triggers
    seconds: float = inf
    held_out: float = 0.2
    fewest_people: int = 100
    margin: float = 0.0
    anyway: bool = False
    warm: bool = True
    keep: bool = False
    seed: int = 0


@dataclass(frozen=True)
class _Live:
    """The live model, where it lies, and what reading it took."""

    bundle: Bundle
    url: str
    loading_s: float

    @property
    def name(self) -> str:
        return f"{self.bundle.model_version} at {self.url}"


class Retraining:
    """propose: takes the URL of a better bundle to the registry. say: for people who watch."""

    def __init__(
        self,
        dsn: str,
        registry: Registry,
        news: News,
        folder: RunFolder,
        *,
        train: Train,
        propose: Callable[[str], None],
        terms: Terms,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dsn = dsn
        self._registry = registry
        self._news = news
        self._folder = folder
        self._train = train
        self._propose = propose
        self._terms = terms
        self._say = say
        self._clock = clock

    def run(self) -> Ended:
        """After an error the folder keeps what there is, for the same command to go on from.

        Raises: FailedPrecondition, BundleInvalid, DataInvalid, CheckpointFailed, Unavailable.
        """
        ended = self._run(Budget(self._terms.seconds, self._clock))
        self._folder.empty()
        return ended

    def _run(self, budget: Budget) -> Ended:
        active = self._registry.active()
        try:
            to_propose(active)
        except FailedPrecondition as taken:
            return Ended("idle", str(taken))
        live = self._read(live_model(active, self._registry.running()).bundle_url)
        memory = self._folder.memory(live.name)
        if memory is not None:
            self._say("going on with a run that was cut off")
            self._tell(memory.cause)
        else:
            cause = self._cause(live)
            if isinstance(cause, Ended):
                return cause
            self._tell(cause)
            memory = Memory(cause)
            self._folder.keep(live.name, memory)
        return self._candidate(live, memory, budget)

    def _read(self, url: str) -> _Live:
        started = self._clock()
        return _Live(Bundle.load(url), url, self._clock() - started)

    def _tell(self, cause: Cause) -> None:
        for reason in cause.reasons:
            self._say(f"reason: {reason}")

    def _cause(self, live: _Live) -> Cause | Ended:
        """Why to train, or why not."""
        triggers, version = self._terms.triggers, live.bundle.model_version
        standing = self._standing(live.bundle)
        self._say(standing.line())
        found = reasons(standing, triggers)
        if not found and not self._terms.anyway:
            return Ended("idle", f"no reason: {standing.line()}", version)
        since = new_since(standing, triggers)
        cuts = self._news.cuts(since, self._terms.held_out)
        if cuts is None:
            return Ended("idle", "what is new is of one moment: no part of it is newer", version)
        why = tuple(found or ["asked for, without another reason"])
        return Cause(standing, why, since is not None, cuts)

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

    def _candidate(self, live: _Live, memory: Memory, budget: Budget) -> Ended:
        terms, folder, cause = self._terms, self._folder, memory.cause
        self._prepare(cause)
        log = read_log(folder.prepared)
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
        if not cause.unseen:
            anew = "by the live model's weights it would know what the trial asks"
        elif terms.warm:
            start, anew = start_or_why_not(live.url, [item.item_id for item in log.catalogue])
        plan = memory.plan or self._plan(live, log, parts, budget)
        folder.keep(live.name, Memory(cause, plan))
        made = self._train(
            Task(folder.prepared, folder.bundle, plan.train_s, start, folder.checkpoint)
        )
        trying = Budget(inf, self._clock)
        candidate = Bundle.load(str(folder.bundle))
        trial = try_both(live.bundle, candidate, log, parts, people=plan.people, seed=terms.seed)
        verdict = judge(trial, terms.margin)
        report = Report(
            made_at=datetime.now(UTC),
            live_version=live.bundle.model_version,
            live_url=live.url,
            candidate_version=candidate.model_version,
            reasons=cause.reasons,
            standing=cause.standing,
            unseen=cause.unseen,
            parts=_events_by_part(log),
            cuts=cause.cuts,
            carried=made.carried,
            anew=anew,
            training=candidate.manifest.training,
            trial=trial,
            verdict=verdict,
            times=Times(terms.seconds, plan.spent_s, made.seconds, trying.elapsed),
        )
        kept = folder.bundle if verdict.better or terms.keep else folder.report
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

    def _prepare(self, cause: Cause) -> None:
        """Unless it is done: the folder appears whole or not at all."""
        if self._folder.prepared.exists():
            return
        cuts = (cause.cuts.validation, cause.cuts.test)
        settings = PreparationSettings(split="time", cuts=cuts)
        with postgres_sources(self._dsn) as (interactions, items):
            prepare(interactions, items, self._folder.prepared, settings)

    def _plan(self, live: _Live, log: EventLog, parts: Split, budget: Budget) -> Plan:
        """Raises: FailedPrecondition where the time is too short."""
        rehearsal = rehearse(
            live.bundle,
            log,
            parts,
            loading_s=live.loading_s,
            seed=self._terms.seed,
            clock=self._clock,
        )
        return planned(
            budget.seconds,
            budget.elapsed,
            rehearsal,
            people=len(parts.test.users),
            fewest=self._terms.fewest_people,
        )


def _events_by_part(log: EventLog) -> dict[str, int]:
    assert log.parts is not None  # prepared
    counts = np.bincount(log.parts, minlength=len(PART_NAMES)).tolist()
    return dict(zip(PART_NAMES, counts, strict=True))
