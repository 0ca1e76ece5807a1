"""What retrieval, candidates and export give away against scoring the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.bundle import Manifest
from headrace.evaluation.metrics import Values, gains
from headrace.evaluation.protocol import Questions, rank_targets
from headrace.evaluation.served import Columns, Floats, ServedLists, ServedPipeline

_K = 10
# The head over a whole catalogue of N items costs as much as N/300 lists.
_WHOLE_PEOPLE = 500


class Loss(NamedTuple):
    """NDCG@10 of the thorough way and of what is served, over so many people."""

    whole: float
    served: float
    people: int

    @property
    def lost(self) -> float:
        """Above 0 where serving loses."""
        return self.whole - self.served


@dataclass(frozen=True)
class Asked:
    """The test part as the pipeline takes it. Shapes: people [Q,D], recent [Q,R]."""

    people: Floats
    recent: Columns
    questions: Questions

    def some(self, most: int, seed: int) -> Asked:
        """At most so many of them, drawn at random."""
        rows = np.random.default_rng(seed).permutation(len(self.people))[:most]
        histories = [self.questions.histories[row] for row in rows]
        return Asked(
            self.people[rows],
            self.recent[rows],
            Questions(histories, self.questions.targets[rows]),
        )


def loss_of_index(pipeline: ServedPipeline, asked: Asked, found: ServedLists) -> Loss:
    """FAISS against comparing with every vector; both in retrieval order."""
    whole = rank_targets(_EveryVector(pipeline, asked.people), asked.questions)
    return _loss(gains(whole, _K), gains(found.ranks(asked.questions.targets), _K))


def loss_of_candidates(
    pipeline: ServedPipeline, asked: Asked, candidates: int, *, seed: int
) -> Loss:
    """The head on what was retrieved against the head on everything, for a sample of people."""
    some = asked.some(_WHOLE_PEOPLE, seed)
    each = []
    for width in (pipeline.items, candidates):
        found = pipeline.retrieved(some.people, some.questions, width)
        shown = pipeline.ordered(some.people, found, some.recent)
        each.append(gains(shown.ranks(some.questions.targets), _K))
    return _loss(*each)


def loss_of_export(manifest: Manifest, served: Values) -> Loss | None:
    """The bundle against torch at the end of training; None where training measured nothing."""
    torch = manifest.metrics.get(f"test.NDCG@{_K}")
    return None if torch is None else Loss(torch, float(served.mean()), len(served))


class _EveryVector:
    """Inner products with the whole catalogue, without an index."""

    def __init__(self, pipeline: ServedPipeline, people: Floats) -> None:
        self._pipeline = pipeline
        self._people = pipeline.queries(people)

    def scores(self, questions: slice) -> NDArray[np.float32]:
        return self._people[questions] @ self._pipeline.vectors.T + self._pipeline.biases


def _loss(whole: Values, served: Values) -> Loss:
    return Loss(float(whole.mean()), float(served.mean()), len(served))
