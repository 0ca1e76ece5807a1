"""The written report of a retraining: `report.json` for programs, `report.md` for people."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headrace.evaluation.intervals import Interval
from headrace.retraining.news import Cuts
from headrace.retraining.reasons import Standing
from headrace.retraining.trial import Pair, Trial, Verdict
from headrace.training.carry import Carried, Share

FACTS, TEXT = "report.json", "report.md"


@dataclass(frozen=True)
class Times:
    """In seconds: what was given for everything (inf: no limit), and what was spent; `before`
    training on reading, preparing and rehearsing the trial."""

    given: float
    before: float
    training: float
    trial: float

    def line(self) -> str:
        """For people."""
        spent = self.before + self.training + self.trial
        of = f" of {self.given:,.0f}" if math.isfinite(self.given) else ""
        return (
            f"{spent:,.0f} s{of}: {self.before:,.0f} s until training began, "
            f"{self.training:,.0f} s training, {self.trial:,.0f} s the trial."
        )


@dataclass(frozen=True)
class Report:
    """parts: events by part of the split. unseen: the live model cannot have learned from the
    trial's events. carried: what the warm start brought; None: it began at random, and `anew` says
    why."""

    made_at: datetime
    live_version: str
    live_url: str
    candidate_version: str
    reasons: tuple[str, ...]
    standing: Standing
    unseen: bool
    parts: Mapping[str, int]
    cuts: Cuts
    carried: Carried | None
    anew: str
    training: Mapping[str, str | int | float | bool | None]
    trial: Trial
    verdict: Verdict
    times: Times

    def facts(self) -> dict[str, Any]:
        """As plain values."""
        facts: dict[str, Any] = _plain(self)
        return facts

    def markdown(self) -> str:
        return "\n".join(_lines(self)) + "\n"

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.facts(), indent=2, ensure_ascii=False)
        (folder / FACTS).write_text(text + "\n", encoding="utf-8")
        (folder / TEXT).write_text(self.markdown(), encoding="utf-8")


def _lines(report: Report) -> Iterator[str]:
    trial, parts = report.trial, report.parts
    yield f"# {report.candidate_version} beside {report.live_version}\n"
    better = "better than the live model" if report.verdict.better else "not proposed"
    yield f"**{better.capitalize()}.** {report.verdict.why}.\n"
    yield f"Made at {_moment(report.made_at)}. The live model is {report.live_url}.\n"
    yield "## Why\n"
    yield from (f"- {reason}" for reason in report.reasons)
    yield f"- {report.standing.line()}\n"
    yield "## Data\n"
    yield (
        f"From Postgres: {parts['train']:,} events to learn from, {parts['validation']:,} from "
        f"{_moment(report.cuts.validation)} on to choose weights by, {parts['test']:,} from "
        f"{_moment(report.cuts.test)} on for the trial, which the candidate never saw.\n"
    )
    yield _what_the_live_one_saw(report)
    yield "## Start\n"
    yield from _start(report)
    yield "## Trial\n"
    yield (
        f"{trial.people:,} people{_of_all(trial)} are asked for {trial.events:,} things that they "
        "did in the trial's part, each for the first ten at most, and nobody for the first thing "
        "of all. A question is a person's history up to that moment; the answer is the list that "
        "the model would serve, without what the person had. A person's mean counts; intervals "
        "(95 %) are over people, and those of the difference over the same people for both.\n"
    )
    yield from _table(trial.figures)
    yield f"One list of what is most popular, for everybody: NDCG@10 {trial.most_popular:.4f}.\n"
    if trial.on_new:
        yield f"{trial.new:,} of these events are about items that the live model did not know:\n"
        yield from _table(trial.on_new)
    else:
        yield "Nobody took an item that the live model did not know.\n"
    yield "## Time\n"
    yield report.times.line() + "\n"


def _of_all(trial: Trial) -> str:
    if trial.people == trial.there:
        return ""
    return f", drawn from {trial.there:,} since the time is for so many,"


def _what_the_live_one_saw(report: Report) -> str:
    if report.unseen:
        return "The live model never saw them either: all are newer than what it learned from.\n"
    return (
        "Until when the live model learned is not known, since its manifest does not say so: it "
        "may have learned from the trial's events. That would be an advantage of the live model; a "
        "candidate that is better all the same is better.\n"
    )


def _start(report: Report) -> Iterator[str]:
    carried = report.carried
    if carried is None:
        yield f"From the beginning: {report.anew}.\n"
    else:
        yield f"From the weights of {carried.model_version}:\n"
        yield "| | carried over | new | gone |"
        yield "|---|---|---|---|"
        for name in ("items", "words", "categories", "attributes"):
            share: Share = getattr(carried, name)
            yield f"| {name} | {share.carried:,} | {share.new:,} | {share.gone:,} |"
        yield ""
        if not carried.ratings:
            yield "What ratings tell was not known before, or is not told now.\n"
    told = report.training
    yield (
        f"{told.get('epochs')} epochs, the one after {told.get('best_epoch')} kept (0: the weights "
        f"it began with), {_number(told.get('towers_s')):.0f} s for the towers.\n"
    )


def _table(figures: Mapping[str, Pair]) -> Iterator[str]:
    yield "| metric | live | candidate | difference | verdict |"
    yield "|---|---|---|---|---|"
    for name, pair in figures.items():
        change = pair.change
        yield (
            f"| {name} | {pair.live} | {pair.candidate} | {_signed(change.interval)} "
            f"| {change.verdict} |"
        )
    yield ""


def _signed(found: Interval) -> str:
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def _moment(at: datetime | float) -> str:
    moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _plain(value: Any) -> Any:
    """What is not a number is None."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
