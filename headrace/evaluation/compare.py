"""All baselines, and a bundle as it is served, on the same split. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from headrace.bundle import Bundle
from headrace.errors import DataInvalid
from headrace.evaluation.baselines.neural.learning import Watch
from headrace.evaluation.baselines.registry import NEURAL, SIMPLE, Make
from headrace.evaluation.contenders import HEADRACE, Contest
from headrace.evaluation.evaluate import leave_one_out
from headrace.evaluation.intervals import Difference, Interval, difference
from headrace.evaluation.measured import K, Measured, World, measure
from headrace.evaluation.results import Answers, Fit, Results
from headrace.evaluation.sampled import figures
from headrace.evaluation.turns import Terms, Turn, Turns
from headrace.training.log import EventLog
from headrace.training.split import Part, Split

MAIN = f"NDCG@{K}"


@dataclass(frozen=True)
class Row:
    """A model on both parts. `sampled`: on the test part, among a few items drawn at random."""

    name: str
    fit: Fit
    validation: Measured
    test: Measured
    sampled: Mapping[str, Interval] = field(default_factory=dict)


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
    sampled: int = 0

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    def difference(self, row: Row) -> Difference:
        """Of a row's NDCG@10 to the reference's, person by person."""
        return difference(row.test.values[MAIN], self.row(self.reference).test.values[MAIN])


@dataclass(frozen=True)
class Standing:
    """`done` of `models` are known, this one from an earlier run if `kept`; fitting the others
    may take `left_s` more."""

    done: int
    models: int
    kept: bool
    left_s: float


def compare(
    log: EventLog,
    bundle: Bundle | None,
    terms: Terms,
    *,
    baselines: Mapping[str, Make] = {**SIMPLE, **NEURAL},
    say: Callable[[Row, Standing], None] = lambda row, standing: None,
    watch: Callable[[str], Watch] | None = None,
) -> Comparison:
    """Takes what is known, and makes the rest.

    Raises:
        DataInvalid: nobody has three events; no model can learn from these; a file of results is
            damaged.
        FailedPrecondition: the bundle was trained on another split.
        OSError: results cannot be written.
    """
    parts = leave_one_out(log)
    contest = Contest(log, parts, sampled=terms.sampled, seed=terms.seed)
    known = Results(terms.results, log, parts, terms.seed)
    turns = Turns(contest, known, terms, watch)
    judge = _Judge(log, parts, contest, terms.seed)
    models = len(baselines) + (2 if bundle else 0)
    rows: list[Row] = []
    of_bundle = () if bundle is None else turns.of_bundle(bundle)
    for turn in chain(of_bundle, turns.of_baselines(baselines)):
        rows.append(judge.row(turn))
        done = len(rows) + len(turns.left_out)
        say(rows[-1], Standing(done, models, turn.kept, turn.left_s))
    if not rows:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in turns.left_out.items())
        raise DataInvalid(f"there is nothing to compare: {reasons}")
    best = max(rows, key=lambda row: row.validation.intervals[MAIN].mean).name
    return Comparison(
        split=parts,
        people=log.users,
        items=len(log.catalogue),
        events=len(log.items),
        rows=sorted(rows, key=lambda row: -row.test.intervals[MAIN].mean),
        reference=best if bundle is None else HEADRACE,
        left_out=turns.left_out,
        sampled=terms.sampled,
    )


class _Judge:
    """Figures from answers."""

    def __init__(self, log: EventLog, parts: Split, contest: Contest, seed: int) -> None:
        self._log = log
        self._parts = parts
        self._world = World.of(log.catalogue, contest.train.counts, log.users)
        self._seed = seed

    def row(self, turn: Turn) -> Row:
        result = turn.result
        among = result.test.sampled
        return Row(
            turn.name,
            result.fit,
            self._measured(result.validation, self._parts.validation),
            self._measured(result.test, self._parts.test),
            {} if among is None else figures(among, seed=self._seed),
        )

    def _measured(self, answers: Answers, part: Part) -> Measured:
        asked = part.questions(self._log)
        return measure(
            answers.ranks, answers.top, asked, self._world, shown=answers.shown, seed=self._seed
        )
