"""The candidate and the live model on the same newest events, as they are served."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.bundle import Bundle
from headrace.bundle.scoring import CANDIDATES
from headrace.evaluation.evaluate import asked_of, serve
from headrace.evaluation.intervals import Difference, Interval, difference, interval
from headrace.evaluation.measured import K
from headrace.evaluation.metrics import Values, values_by_name
from headrace.evaluation.popular import MostPopular
from headrace.evaluation.protocol import rank_targets
from headrace.evaluation.served import ServedPipeline
from headrace.retraining.asked import by_person, first_events, people_in, some_people
from headrace.retraining.plan import Rehearsal
from headrace.training.log import EventLog
from headrace.training.split import Part, Split

MAIN = f"NDCG@{K}"
METRICS = (MAIN, f"HR@{K}", f"MRR@{K}")
_REHEARSED_PEOPLE = 64


@dataclass(frozen=True)
class Pair:
    """Of a metric: both models, and candidate minus live, person by person."""

    live: Interval
    candidate: Interval
    change: Difference


@dataclass(frozen=True)
class Trial:
    """`people` of those `there` are asked about `events`, each person about ten at most, of which
    the mean counts. figures: by metric; on_new: of the `new` events with an item that the live
    model did not know. most_popular: NDCG@10 of one list for everybody."""

    people: int
    there: int
    events: int
    figures: Mapping[str, Pair]
    new: int
    on_new: Mapping[str, Pair]
    most_popular: float


@dataclass(frozen=True)
class Verdict:
    """`why` is for people."""

    better: bool
    why: str


def rehearse(
    live: Bundle,
    log: EventLog,
    parts: Split,
    *,
    loading_s: float,
    seed: int,
    clock: Callable[[], float] = time.monotonic,
) -> Rehearsal:
    """What asking takes, of the live model and a few people. loading_s: what reading it took."""
    few = some_people(first_events(parts.held_out["test"]), _REHEARSED_PEOPLE, seed)
    started = clock()
    pipeline = ServedPipeline(live, log.catalogue)
    ready = clock()
    _values(pipeline, log, few)
    person_s = (clock() - ready) / people_in(few)
    return Rehearsal(loading_s, catalogue_s=ready - started, person_s=person_s)


def try_both(
    live: Bundle, candidate: Bundle, log: EventLog, parts: Split, *, people: int, seed: int
) -> Trial:
    """Asks so many people of the test part, drawn at random where there are more; their histories
    are streamed up to each event."""
    everybody = first_events(parts.held_out["test"])
    part = some_people(everybody, people, seed)
    before, after = (
        _values(ServedPipeline(bundle, log.catalogue), log, part) for bundle in (live, candidate)
    )
    targets = [log.catalogue[column].item_id for column in log.items[part.positions]]
    new = live.known.rows(targets) == 0
    everything = np.ones(len(new), dtype=np.bool_)
    popular = MostPopular(log.counts(parts.training_events(log)))
    of_popular = values_by_name(rank_targets(popular, part.questions(log)), K)[MAIN]
    return Trial(
        people=people_in(part),
        there=people_in(everybody),
        events=len(part.users),
        figures=_pairs(before, after, part.users, everything, seed=seed),
        new=int(new.sum()),
        on_new=_pairs(before, after, part.users, new, seed=seed) if new.any() else {},
        most_popular=float(by_person(of_popular, part.users).mean()),
    )


def judge(trial: Trial, margin: float) -> Verdict:
    """Better where the whole interval of the difference lies above the margin."""
    change = trial.figures[MAIN].change.interval
    found = f"{MAIN} changes by {change.mean:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"
    if change.low > margin:
        return Verdict(True, f"{found}: above {margin:g}")
    return Verdict(False, f"{found}: not all of the interval is above {margin:g}")


def _values(pipeline: ServedPipeline, log: EventLog, part: Part) -> Mapping[str, Values]:
    asked = asked_of(pipeline, log, part)
    _, shown = serve(pipeline, asked, CANDIDATES)
    return values_by_name(shown.ranks(asked.questions.targets), K)


def _pairs(
    live: Mapping[str, Values],
    candidate: Mapping[str, Values],
    users: NDArray[np.int64],
    mark: NDArray[np.bool_],
    *,
    seed: int,
) -> dict[str, Pair]:
    """Shapes: values, users and mark [Q]."""
    pairs = {}
    for name in METRICS:
        before, after = (by_person(one[name][mark], users[mark]) for one in (live, candidate))
        pairs[name] = Pair(
            interval(before, seed=seed),
            interval(after, seed=seed),
            difference(after, before, seed=seed),
        )
    return pairs
