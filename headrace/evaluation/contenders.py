"""Who is compared: what each model answers on both parts. Imports torch."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from headrace.bundle import Bundle
from headrace.bundle.scoring import CANDIDATES
from headrace.evaluation.baselines.base import Asked, Baseline, People, Training
from headrace.evaluation.baselines.registry import NEURAL
from headrace.evaluation.baselines.tuned import Tuned
from headrace.evaluation.evaluate import asked_of, refuse_seen_test, serve
from headrace.evaluation.measured import K
from headrace.evaluation.metrics import ranks_of
from headrace.evaluation.protocol import unseen_scores
from headrace.evaluation.results import Answers, Fit, Result
from headrace.evaluation.sampled import drawn_items, ranks_among, served_ranks_among
from headrace.evaluation.served import ServedLists, ServedPipeline
from headrace.training.log import EventLog
from headrace.training.split import Part, Split

HEADRACE, RETRIEVAL = "Headrace", "Headrace, retrieval order"


class Contest:
    """The same data and the same questions for everybody; `sampled`: rank among so many items
    drawn at random as well, 0 for not."""

    def __init__(self, log: EventLog, parts: Split, *, sampled: int = 0, seed: int = 0) -> None:
        self.train = Training.of(log, parts)
        self._log = log
        self._split = parts
        self._sampled = sampled
        self._seed = seed

    def of_baseline(self, name: str, baseline: Baseline, allowed_s: float) -> Result:
        """Fit, then ask.

        Raises: DataInvalid where nothing can be learned from these data.
        """
        began = time.monotonic()
        baseline.fit(self.train)
        seconds = time.monotonic() - began
        cut_short = name in NEURAL and seconds >= allowed_s
        chosen = repr(baseline.chosen if isinstance(baseline, Tuned) else baseline)
        return Result(
            Fit(seconds, allowed_s, cut_short, chosen),
            self._answers(baseline, self._split.validation),
            self._answers(baseline, self._split.test),
            self._sampled,
        )

    def of_bundle(self, bundle: Bundle) -> Iterator[tuple[str, Result]]:
        """As served, and in retrieval order.

        Raises: FailedPrecondition where the bundle may have seen the test part.
        """
        refuse_seen_test(bundle, self._split)
        pipeline = ServedPipeline(bundle, self._log.catalogue)
        validation, test = (
            self._served(pipeline, part) for part in (self._split.validation, self._split.test)
        )
        for number, name in enumerate((RETRIEVAL, HEADRACE)):
            yield name, Result(Fit(None), validation[number], test[number], self._sampled)

    def _answers(self, baseline: Baseline, part: Part) -> Answers:
        questions = part.questions(self._log)
        people = People(part.users, questions.histories)
        drawn = drawn_items(self._log, part, self._sampled, self._seed)
        ranks, top, shown, among = [], [], [], []
        for rows, scores in unseen_scores(Asked(baseline, people), questions):
            ranks.append(ranks_of(scores, questions.targets[rows]))
            shown.append(np.isfinite(scores).sum(axis=1))
            best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
            finite = np.isfinite(np.take_along_axis(scores, best, axis=1))
            top.append(np.where(finite, best, -1))
            among.append(ranks_among(scores, questions.targets[rows], drawn[rows]))
        return Answers(
            np.concatenate(ranks),
            np.concatenate(top),
            np.concatenate(shown),
            np.concatenate(among) if self._sampled else None,
        )

    def _served(self, pipeline: ServedPipeline, part: Part) -> tuple[Answers, Answers]:
        asked = asked_of(pipeline, self._log, part)
        drawn = drawn_items(self._log, part, self._sampled, self._seed)
        among = served_ranks_among(pipeline, asked, drawn) if self._sampled else (None, None)

        def answers(lists: ServedLists, order: int) -> Answers:
            ranks = lists.ranks(asked.questions.targets)
            return Answers(ranks, lists.columns[:, :K], sampled=among[order])

        found, shown = serve(pipeline, asked, CANDIDATES)
        return answers(found, 0), answers(shown, 1)
