"""The models, one after the other: what is known is taken, the rest is made. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch

from headrace.bundle import Bundle
from headrace.errors import DataInvalid
from headrace.evaluation.baselines.neural.learning import Effort, Watch
from headrace.evaluation.baselines.registry import NEURAL, Make
from headrace.evaluation.contenders import HEADRACE, RETRIEVAL, Contest
from headrace.evaluation.results import Result, Results

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Terms:
    """How to compare. `seconds` are for fitting: networks share what the others leave of them.
    `results`: where what is known is kept and taken from. `sampled`: rank among so many items
    drawn at random as well. Networks are fitted on `device`."""

    seconds: float
    seed: int = 0
    sampled: int = 0
    results: Path | None = None
    device: torch.device = _CPU


class Turn(NamedTuple):
    """A model's result; `kept` if it was known, `left_s` for fitting those to come."""

    name: str
    result: Result
    kept: bool
    left_s: float


class Turns:
    """`left_out` tells, once its turn has been, why a model has no result."""

    def __init__(
        self,
        contest: Contest,
        known: Results,
        terms: Terms,
        watch: Callable[[str], Watch] | None,
    ) -> None:
        self._contest = contest
        self._known = known
        self._terms = terms
        self._watch = watch
        self.left_out: dict[str, str] = {}

    def of_bundle(self, bundle: Bundle) -> Iterator[Turn]:
        """As served, and in retrieval order."""
        version = bundle.model_version
        found = {name: self._known.get(name, version) for name in (RETRIEVAL, HEADRACE)}
        usable = {name: r for name, r in found.items() if r and self._is_enough(r)}
        if len(usable) == len(found):
            for name, result in usable.items():
                yield Turn(name, result, True, self._terms.seconds)
            return
        for name, result in self._contest.of_bundle(bundle):
            self._known.keep(name, version, result)
            yield Turn(name, result, False, self._terms.seconds)

    def of_baselines(self, baselines: Mapping[str, Make]) -> Iterator[Turn]:
        """Cheap ones first, so that the networks know the time that is left to share.

        A share follows from what the models before took when they were fitted: a resumed run
        gives the same ones as a run in one go.
        """
        left_s = self._terms.seconds
        queue = sorted(baselines.items(), key=lambda entry: entry[0] in NEURAL)
        for number, (name, make) in enumerate(queue):
            networks = sum(other in NEURAL for other, _ in queue[number:])
            share = max(1.0, left_s / max(1, networks))
            baseline = make(self._effort(name, share))
            settings = repr(baseline)
            result = self._known.get(name, settings)
            kept = result is not None and self._is_enough(result, share)
            if result is None or not kept:
                try:
                    result = self._contest.of_baseline(name, baseline, share)
                except DataInvalid as error:
                    self.left_out[name] = str(error)
                    continue
                self._known.keep(name, settings, result)
            left_s -= result.fit.seconds or 0.0
            yield Turn(name, result, kept, left_s)

    def _effort(self, name: str, share: float) -> Effort:
        effort = Effort(seconds=share, seed=self._terms.seed, device=self._terms.device)
        return effort if self._watch is None else replace(effort, watch=self._watch(name))

    def _is_enough(self, result: Result, share: float = 0.0) -> bool:
        """Whether a known result is what would come out now: one that time cut short is made anew
        where there is more of it, and so is one that lacks the ranks among drawn items."""
        if self._terms.sampled not in (0, result.sampled):
            return False
        return not (result.fit.cut_short and share > result.fit.allowed_s)
