"""Lists as the ranker will see them: what retrieval returns, and what the person took next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headrace.bundle.features import FEATURES, ItemFacts, candidate_features
from headrace.bundle.known import KnownItems
from headrace.evaluation.protocol import unseen_scores
from headrace.training.log import EventLog
from headrace.training.split import Part
from headrace.training.towers import TowerScorer

_BATCH = 64


@dataclass(frozen=True)
class CatalogueFacts:
    """What lists are made of. Shapes: vectors [N,D], biases [N], popularity [N] (log(1 + count)),
    categories [N,C], attributes [N,M], rows [N] in the table of `known`."""

    vectors: Tensor
    biases: Tensor
    popularity: NDArray[np.float32]
    categories: NDArray[np.float32]
    attributes: NDArray[np.float32]
    rows: NDArray[np.int64]
    known: KnownItems

    def of(self, columns: NDArray[np.int64]) -> ItemFacts:
        return ItemFacts(
            self.vectors.numpy()[columns], self.categories[columns], self.attributes[columns]
        )


@dataclass(frozen=True)
class HeadInputs:
    """A batch for the head. Shapes: as `NcfHead`."""

    user: Tensor
    candidates: Tensor
    recent: Tensor
    recent_mask: Tensor
    features: Tensor

    def on(self, device: torch.device) -> tuple[Tensor, ...]:
        """In the head's order, on its device."""
        parts = (self.user, self.candidates, self.recent, self.recent_mask, self.features)
        return tuple(part.to(device) for part in parts)


@dataclass(frozen=True)
class Lists:
    """Q lists of K candidates, best first, for people's vectors at a position.

    `target` [Q] is the candidate that the person took, -1 where retrieval missed it.
    Shapes: users [Q,D], candidates [Q,K] and recent [Q,R]
    (columns, oldest first), recent_mask [Q,R], features [Q,K,F].
    """

    facts: CatalogueFacts
    users: Tensor
    candidates: NDArray[np.int64]
    recent: NDArray[np.int64]
    recent_mask: NDArray[np.float32]
    features: Tensor
    target: Tensor

    def __len__(self) -> int:
        return len(self.candidates)

    def inputs(self, rows: NDArray[np.int64]) -> HeadInputs:
        """The head's inputs for these lists."""
        vectors = self.facts.vectors
        return HeadInputs(
            self.users[rows],
            vectors[self.candidates[rows]],
            vectors[self.recent[rows]],
            torch.from_numpy(self.recent_mask[rows]),
            self.features[rows],
        )

    def batches(self) -> Iterator[NDArray[np.int64]]:
        """All lists in order, a few at a time."""
        rows = np.arange(len(self))
        for start in range(0, len(self), _BATCH):
            yield rows[start : start + _BATCH]


def build_lists(
    log: EventLog, facts: CatalogueFacts, users: Tensor, part: Part, *, width: int, recent: int
) -> Lists:
    """Retrieve `width` candidates for each event of a part, as if it had not happened yet.

    Shapes: users [Q,D], the vectors just before the events.
    """
    questions = part.questions(log)
    width = min(width, len(log.catalogue))
    candidates = np.zeros((len(part.users), width), dtype=np.int64)
    scores = np.zeros((len(part.users), width), dtype=np.float32)
    scorer = TowerScorer(users, facts.vectors, facts.biases)
    for rows, all_scores in unseen_scores(scorer, questions):
        candidates[rows], scores[rows] = _best(all_scores, width)
    touched, mask = _recent(questions.histories, recent)
    hit = candidates == questions.targets[:, None]
    return Lists(
        facts,
        users,
        candidates,
        touched,
        mask,
        torch.from_numpy(_features(facts, candidates, scores, touched, mask)),
        torch.from_numpy(np.where(hit.any(axis=1), hit.argmax(axis=1), -1)),
    )


def _best(scores: NDArray[np.float32], width: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Shapes: scores [B,N] -> columns [B,K] and their scores [B,K], best first."""
    # What a person had is -inf; a catalogue nearly used up leaves such places at the end.
    top = np.argpartition(-scores, width - 1, axis=1)[:, :width]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    columns = np.take_along_axis(top, order, axis=1)
    values = np.take_along_axis(scores, columns, axis=1)
    floor = np.where(np.isfinite(values), values, np.inf).min(axis=1, keepdims=True)
    return columns, np.where(np.isfinite(values), values, np.where(np.isfinite(floor), floor, 0))


def _recent(
    histories: Sequence[NDArray[np.int64]], most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The last items of each history, oldest first: columns [Q,R] and mask [Q,R]."""
    columns = np.zeros((len(histories), most), dtype=np.int64)
    mask = np.zeros((len(histories), most), dtype=np.float32)
    for row, history in enumerate(histories):
        newest = history[-most:]
        columns[row, : len(newest)] = newest
        mask[row, : len(newest)] = 1
    return columns, mask


def _features(
    facts: CatalogueFacts,
    candidates: NDArray[np.int64],
    scores: NDArray[np.float32],
    recent: NDArray[np.int64],
    recent_mask: NDArray[np.float32],
) -> NDArray[np.float32]:
    out = np.empty((*candidates.shape, len(FEATURES)), dtype=np.float32)
    for start in range(0, len(candidates), _BATCH):
        rows = slice(start, start + _BATCH)
        out[rows] = candidate_features(
            scores[rows],
            facts.popularity[candidates[rows]],
            facts.of(candidates[rows]),
            facts.of(recent[rows]),
            recent_mask[rows],
            counted=facts.known.counted(facts.rows[candidates[rows]], facts.rows[recent[rows]]),
        )
    return out
