"""All baselines, and a bundle as it is served, on the same split. Imports torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from headrace.bundle import Bundle
from headrace.errors import DataInvalid
from headrace.evaluation.baselines.base import Asked, Baseline, People, Training
from headrace.evaluation.baselines.neural.learning import Effort
from headrace.evaluation.baselines.registry import NEURAL, SIMPLE, Make
from headrace.evaluation.evaluate import evaluate, leave_one_out
from headrace.evaluation.intervals import Difference, difference
from headrace.evaluation.measured import K, Measured, World, measure
from headrace.evaluation.metrics import Ranks, ranks_of
from headrace.evaluation.protocol import Questions, unseen_scores
from headrace.training.log import EventLog
from headrace.training.split import Part, Split

MAIN = f"NDCG@{K}"
HEADRACE, RETRIEVAL = "Headrace", "Headrace, retrieval order"


@dataclass(frozen=True)
class Row:
    """A model on both parts. `fit_s` is None for a bundle: it came trained. `cut_short`: time
    ended the fit, and more might have helped."""

    name: str
    validation: Measured
    test: Measured
    fit_s: float | None
    cut_short: bool = False


@dataclass(frozen=True)
class Comparison:
    """Best first, by NDCG@10 on the test part; `reference` is what the others are set beside: the
    bundle, or without one the baseline that is best on validation. `left_out`: why, by name."""

    split: Split
    people: int
    items: int
    events: int
    rows: Sequence[Row]
    reference: str
    left_out: Mapping[str, str]

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    def difference(self, row: Row) -> Difference:
        """Of a row's NDCG@10 to the reference's, person by person."""
        return difference(row.test.values[MAIN], self.row(self.reference).test.values[MAIN])


def compare(
    log: EventLog,
    bundle: Bundle | None,
    *,
    seconds: float,
    seed: int,
    baselines: Mapping[str, Make] = {**SIMPLE, **NEURAL},
    say: Callable[[Row], None] = lambda row: None,
) -> Comparison:
    """Fits every baseline; networks share what time the others leave of `seconds`.

    Raises:
        DataInvalid: nobody has three events.
        FailedPrecondition: the bundle was trained on another split.
    """
    parts = leave_one_out(log)
    rows = []
    left_out: dict[str, str] = {}
    of_bundle = () if bundle is None else _of_bundle(bundle, log, seed)
    others = _of_baselines(log, parts, baselines, seconds=seconds, seed=seed, left_out=left_out)
    for row in chain(of_bundle, others):
        say(row)
        rows.append(row)
    best = max(rows, key=lambda row: row.validation.intervals[MAIN].mean).name
    return Comparison(
        split=parts,
        people=log.users,
        items=len(log.catalogue),
        events=len(log.items),
        rows=sorted(rows, key=lambda row: -row.test.intervals[MAIN].mean),
        reference=best if bundle is None else HEADRACE,
        left_out=left_out,
    )


def _of_bundle(bundle: Bundle, log: EventLog, seed: int) -> Iterator[Row]:
    found = evaluate(bundle, log, seed=seed)
    for name, measured in ((HEADRACE, found.served), (RETRIEVAL, found.retrieval)):
        yield Row(name, measured["validation"], measured["test"], None)


def _of_baselines(
    log: EventLog,
    parts: Split,
    baselines: Mapping[str, Make],
    *,
    seconds: float,
    seed: int,
    left_out: dict[str, str],
) -> Iterator[Row]:
    """Writes into `left_out` which of them cannot learn from these data."""
    end = time.monotonic() + seconds
    train = Training.of(log, parts)
    world = World.of(log.catalogue, train.counts, log.users)
    for number, (name, make) in enumerate(baselines.items()):
        share = max(1.0, (end - time.monotonic()) / (len(baselines) - number))
        baseline = make(Effort(seconds=share, seed=seed))
        began = time.monotonic()
        try:
            baseline.fit(train)
        except DataInvalid as error:
            left_out[name] = str(error)
            continue
        fit_s = time.monotonic() - began
        validation, test = (
            _measured(baseline, log, part, world, seed) for part in (parts.validation, parts.test)
        )
        yield Row(name, validation, test, fit_s, cut_short=name in NEURAL and fit_s >= share)


def _measured(baseline: Baseline, log: EventLog, part: Part, world: World, seed: int) -> Measured:
    asked = part.questions(log)
    ranks, top, shown = _ranked(baseline, People(part.users, asked.histories), asked)
    return measure(ranks, top, asked, world, shown=shown, seed=seed)


def _ranked(
    baseline: Baseline, people: People, asked: Questions
) -> tuple[Ranks, NDArray[np.int64], NDArray[np.int64]]:
    """Ranks [Q], the first places [Q,K] and how many items were ranked [Q]."""
    ranks, top, shown = [], [], []
    for part, scores in unseen_scores(Asked(baseline, people), asked):
        ranks.append(ranks_of(scores, asked.targets[part]))
        shown.append(np.isfinite(scores).sum(axis=1))
        best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        finite = np.isfinite(np.take_along_axis(scores, best, axis=1))
        top.append(np.where(finite, best, -1))
    return np.concatenate(ranks), np.concatenate(top), np.concatenate(shown)
