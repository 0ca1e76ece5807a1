"""What every baseline does, and what it learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from headrace.bundle.content import ItemContent
from headrace.evaluation.metrics import ndcg
from headrace.evaluation.protocol import Questions, rank_targets
from headrace.training.log import EventLog
from headrace.training.split import Split

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class People:
    """B people of training, and what each had by now, oldest first.

    Shapes: users [B] (0 to U-1), histories: B arrays of item columns, repeats included.
    """

    users: NDArray[np.int64]
    histories: Sequence[NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.users)

    def some(self, rows: slice) -> People:
        return People(self.users[rows], self.histories[rows])

    def matrix(self, items: int) -> Any:
        """1 where a person had an item: sparse rows [B,N], float32."""
        return matrix_of(self.histories, items)


@dataclass(frozen=True)
class Training:
    """The training part: a history for each of U people, and a catalogue of N items.

    `validation` and `targets` [Q] are for choosing settings and for stopping: what those people
    took next. They are not learned from.
    """

    catalogue: Sequence[ItemContent]
    histories: Sequence[NDArray[np.int64]]
    validation: People
    targets: NDArray[np.int64]

    @classmethod
    def of(cls, log: EventLog, parts: Split) -> Training:
        bounds = zip(log.offsets[:-1], parts.train_ends, strict=True)
        asked = parts.validation.questions(log)
        return cls(
            log.catalogue,
            [log.history(start, end) for start, end in bounds],
            People(parts.validation.users, asked.histories),
            asked.targets,
        )

    @property
    def items(self) -> int:
        return len(self.catalogue)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Events of each item: [N]."""
        return np.bincount(np.concatenate([*self.histories, []]).astype(int), minlength=self.items)

    @cached_property
    def matrix(self) -> Any:
        """1 where a person had an item: sparse rows [U,N], float32."""
        return matrix_of(self.histories, self.items)

    def judged_by(self, most: int) -> Training:
        """The same with at most so many people in validation, drawn at random."""
        if len(self.targets) <= most:
            return self
        chosen = np.sort(np.random.default_rng(0).permutation(len(self.targets))[:most])
        histories = [self.validation.histories[row] for row in chosen]
        people = People(self.validation.users[chosen], histories)
        return replace(self, validation=people, targets=self.targets[chosen])

    def without_last(self) -> Training:
        """The same, as if nobody's last event had happened."""
        return replace(self, histories=[history[:-1] for history in self.histories])


class Baseline(Protocol):
    """A recommender: learns once, then scores the whole catalogue for anybody of training.

    Its `repr` names every setting that a result depends on: results are kept by it.
    """

    def fit(self, train: Training) -> None:
        """The same seed and the same training part give the same scores, if time suffices.

        Raises: DataInvalid where nothing can be learned from so little, or so much.
        """

    def score(self, people: People) -> Scores:
        """Finite, greater is better; what people had is not left out: [B,N], B from 1."""


class Asked:
    """A baseline as `rank_targets` asks it, in batches."""

    def __init__(self, baseline: Baseline, people: People) -> None:
        self._baseline = baseline
        self._people = people

    def scores(self, questions: slice) -> Scores:
        return self._baseline.score(self._people.some(questions))


def validation_ndcg(baseline: Baseline, train: Training) -> float:
    """NDCG@10 on the validation part."""
    asked = Questions(train.validation.histories, train.targets)
    return ndcg(rank_targets(Asked(baseline, train.validation), asked), 10)


def matrix_of(histories: Sequence[NDArray[np.int64]], items: int) -> Any:
    """Shapes: B histories -> sparse [B,N], float32."""
    lengths = [len(history) for history in histories]
    columns = np.concatenate([*histories, np.zeros(0, dtype=np.int64)])
    rows = np.repeat(np.arange(len(histories)), lengths)
    matrix = sparse.csr_matrix(
        (np.ones(len(columns), dtype=np.float32), (rows, columns)), shape=(len(histories), items)
    )
    matrix.data[:] = 1.0  # repeats were added up
    return matrix
