"""The candidate and the live model on the same newest events, as they are served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.bundle import Bundle
from headrace.bundle.scoring import CANDIDATES
from headrace.evaluation.evaluate import asked_of, serve
from headrace.evaluation.intervals import Difference, Interval, difference, interval
from headrace.evaluation.measured import K
from headrace.evaluation.metrics import Values, values_by_name
from headrace.evaluation.served import ServedPipeline
from headrace.training.log import EventLog
from headrace.training.split import Part

MAIN = f"NDCG@{K}"
METRICS = (MAIN, f"HR@{K}", f"MRR@{K}")


@dataclass(frozen=True)
class Pair:
    """Of a metric: both models, and candidate minus live, person by person."""

    live: Interval
    candidate: Interval
    change: Difference


@dataclass(frozen=True)
class Trial:
    """Each of `people` is asked about one event. figures: by metric; on_new: of the `new` of them
    that took an item which the live model did not know."""

    people: int
    figures: Mapping[str, Pair]
    new: int
    on_new: Mapping[str, Pair]


@dataclass(frozen=True)
class Verdict:
    """`why` is for people."""

    better: bool
    why: str


def try_both(live: Bundle, candidate: Bundle, log: EventLog, part: Part, *, seed: int = 0) -> Trial:
    """Asks both about the events of a part; people's histories are streamed up to each event."""
    before, after = (_values(bundle, log, part) for bundle in (live, candidate))
    targets = [log.catalogue[column].item_id for column in log.items[part.positions]]
    new = live.known.rows(targets) == 0
    everybody = np.ones(len(new), dtype=np.bool_)
    return Trial(
        people=len(part.users),
        figures=_pairs(before, after, everybody, seed),
        new=int(new.sum()),
        on_new=_pairs(before, after, new, seed) if new.any() else {},
    )


def judge(trial: Trial, margin: float) -> Verdict:
    """Better where the whole interval of the difference lies above the margin."""
    change = trial.figures[MAIN].change.interval
    found = f"{MAIN} changes by {change.mean:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"
    if change.low > margin:
        return Verdict(True, f"{found}: above {margin:g}")
    return Verdict(False, f"{found}: not all of the interval is above {margin:g}")


def _values(bundle: Bundle, log: EventLog, part: Part) -> Mapping[str, Values]:
    pipeline = ServedPipeline(bundle, log.catalogue)
    asked = asked_of(pipeline, log, part)
    _, shown = serve(pipeline, asked, CANDIDATES)
    return values_by_name(shown.ranks(asked.questions.targets), K)


def _pairs(
    live: Mapping[str, Values],
    candidate: Mapping[str, Values],
    mark: NDArray[np.bool_],
    seed: int,
) -> dict[str, Pair]:
    """Shapes: values [Q], mark [Q]."""
    return {
        name: Pair(
            interval(live[name][mark], seed=seed),
            interval(candidate[name][mark], seed=seed),
            difference(candidate[name][mark], live[name][mark], seed=seed),
        )
        for name in METRICS
    }
