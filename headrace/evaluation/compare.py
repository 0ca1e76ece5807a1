"""All baselines, and a bundle as it is served, on the same split. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from headrace.bundle import Bundle
from headrace.errors import DataInvalid
from headrace.evaluation.baselines.neural.learning import Effort, Watch
from headrace.evaluation.baselines.registry import NEURAL, SIMPLE, Make
from headrace.evaluation.contenders import HEADRACE, RETRIEVAL, Contest
from headrace.evaluation.evaluate import leave_one_out
from headrace.evaluation.intervals import Difference, Interval, difference
from headrace.evaluation.measured import K, Measured, World, measure
from headrace.evaluation.results import Answers, Fit, Result, Results
from headrace.evaluation.sampled import figures
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


@dataclass(frozen=True)
class Terms:
    """How to compare. `seconds` are for fitting: networks share what the others leave of them.
    `results`: where what is known is kept and taken from. `sampled`: rank among so many items
    drawn at random as well."""

    seconds: float
    seed: int = 0
    sampled: int = 0
    results: Path | None = None


def compare(
    log: EventLog,
    bundle: Bundle | None,
    terms: Terms,
    *,
    baselines: Mapping[str, Make] = {**SIMPLE, **NEURAL},
    say: Callable[[Row, Standing], None] = lambda row, standing: None,
    watch: Callable[[str], Watch] | None = None,
) -> Comparison:
    """Takes what is known, and fits the rest.

    Raises:
        DataInvalid: nobody has three events; a file of results is damaged.
        FailedPrecondition: the bundle was trained on another split.
        OSError: results cannot be written.
    """
    parts = leave_one_out(log)
    known = Results(terms.results, log, parts, terms.seed)
    contest = Contest(log, parts, sampled=terms.sampled, seed=terms.seed)
    judge = _Judge(log, parts, contest, terms.seed)
    models = len(baselines) + (2 if bundle else 0)
    rows: list[Row] = []

    def add(name: str, result: Result, kept: bool, left_s: float) -> None:
        rows.append(judge.row(name, result))
        say(rows[-1], Standing(len(rows), models, kept, left_s))

    if bundle is not None:
        for name, result, kept in _of_bundle(bundle, contest, known, terms):
            add(name, result, kept, terms.seconds)
    queue = _Queue(baselines, contest, known, terms, watch)
    for name, result, kept in queue.results():
        add(name, result, kept, queue.left_s)
    return Comparison(
        split=parts,
        people=log.users,
        items=len(log.catalogue),
        events=len(log.items),
        rows=sorted(rows, key=lambda row: -row.test.intervals[MAIN].mean),
        reference=_best_on_validation(rows) if bundle is None else HEADRACE,
        left_out=queue.left_out,
        sampled=terms.sampled,
    )


def _best_on_validation(rows: Sequence[Row]) -> str:
    return max(rows, key=lambda row: row.validation.intervals[MAIN].mean).name


class _Judge:
    """Figures from answers."""

    def __init__(self, log: EventLog, parts: Split, contest: Contest, seed: int) -> None:
        self._log = log
        self._parts = parts
        self._world = World.of(log.catalogue, contest.train.counts, log.users)
        self._seed = seed

    def row(self, name: str, result: Result) -> Row:
        among = result.test.sampled
        return Row(
            name,
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


def _of_bundle(
    bundle: Bundle, contest: Contest, known: Results, terms: Terms
) -> Iterator[tuple[str, Result, bool]]:
    """Name, result, and whether it was known."""
    version = bundle.model_version
    found = {name: known.get(name, version) for name in (RETRIEVAL, HEADRACE)}
    usable = {name: r for name, r in found.items() if r and _enough(r, terms)}
    if len(usable) == len(found):
        for name, result in usable.items():
            yield name, result, True
        return
    for name, result in contest.of_bundle(bundle):
        known.keep(name, version, result)
        yield name, result, False


class _Queue:
    """The baselines, one after the other: cheap ones first, so that the networks know the time
    that is left to share. `left_out` fills on the way."""

    def __init__(
        self,
        baselines: Mapping[str, Make],
        contest: Contest,
        known: Results,
        terms: Terms,
        watch: Callable[[str], Watch] | None,
    ) -> None:
        self._baselines = dict(sorted(baselines.items(), key=lambda entry: entry[0] in NEURAL))
        self._contest = contest
        self._known = known
        self._terms = terms
        self._watch = watch
        self.left_s = terms.seconds
        self.left_out: dict[str, str] = {}

    def results(self) -> Iterator[tuple[str, Result, bool]]:
        """Name, result, and whether it was known. A share follows from what the models before
        took when they were fitted: a resumed run gives the same ones as a run in one go."""
        for number, (name, make) in enumerate(self._baselines.items()):
            share = max(1.0, self.left_s / self._sharing(number))
            baseline = make(self._effort(name, share))
            settings = repr(baseline)
            result = self._known.get(name, settings)
            kept = result is not None and _enough(result, self._terms, share)
            if result is None or not kept:
                try:
                    result = self._contest.of_baseline(name, baseline, share)
                except DataInvalid as error:
                    self.left_out[name] = str(error)
                    continue
                self._known.keep(name, settings, result)
            self.left_s -= result.fit.seconds or 0.0
            yield name, result, kept

    def _effort(self, name: str, share: float) -> Effort:
        effort = Effort(seconds=share, seed=self._terms.seed)
        return effort if self._watch is None else replace(effort, watch=self._watch(name))

    def _sharing(self, number: int) -> int:
        """How many from this one on want a share: a cheap one takes what it takes."""
        return max(1, sum(name in NEURAL for name in list(self._baselines)[number:]))


def _enough(result: Result, terms: Terms, share: float = 0.0) -> bool:
    """Whether a known result is what would come out now: one that time cut short is made anew
    where there is more of it, and one that lacks what is asked as well."""
    if terms.sampled not in (0, result.sampled):
        return False
    return not (result.fit.cut_short and share > result.fit.allowed_s)
