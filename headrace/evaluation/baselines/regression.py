"""Logistic regression on what simple recommenders say of an item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression as Regression
from sklearn.preprocessing import StandardScaler

from headrace.errors import DataInvalid
from headrace.evaluation.baselines.base import Baseline, People, Scores, Training
from headrace.evaluation.baselines.content import ContentBased
from headrace.evaluation.baselines.neighbours import ItemNeighbours
from headrace.evaluation.baselines.popularity import MostPopular, RecentlyPopular

_NEGATIVES = 50
_BATCH = 256


@dataclass(eq=False)
class LogisticRegression:
    """Will this person take this item next? From popularity, neighbours and content.

    Learned on everybody's last training event with recommenders that did not see it, against
    items drawn at random; used with recommenders that saw all of training.
    """

    seed: int = 0

    def fit(self, train: Training) -> None:
        """Raises: DataInvalid where nobody has two training events."""
        if max(map(len, train.histories)) < 2:
            raise DataInvalid("nobody has two training events: there is no next one to learn from")
        before = train.without_last()
        self._recommenders = _fitted(before)
        features, labels = [], []
        for people, targets in _next_events(train):
            for row, scores in enumerate(self._features(people)):
                chosen = self._draw(people, row, targets[row], train.items)
                features.append(scores[chosen])
                labels.append(np.arange(len(chosen)) == 0)
        self._scaler = StandardScaler().fit(np.concatenate(features))
        scaled = self._scaler.transform(np.concatenate(features))
        self._regression = Regression(max_iter=1_000).fit(scaled, np.concatenate(labels))
        self._recommenders = _fitted(train)

    def score(self, people: People) -> Scores:
        features = self._features(people)  # [B,N,F]
        scaled = self._scaler.transform(features.reshape(-1, features.shape[2]))
        chances = self._regression.decision_function(scaled)
        return np.asarray(chances.reshape(features.shape[:2]), dtype=np.float32)

    def _features(self, people: People) -> NDArray[np.float32]:
        """Shapes: [B,N,F]."""
        scores = [recommender.score(people) for recommender in self._recommenders]
        return np.log1p(np.maximum(np.stack(scores, axis=2), 0))

    def _draw(self, people: People, row: int, target: int, items: int) -> NDArray[np.int64]:
        """The target first, then items that the person never had."""
        random = np.random.default_rng((self.seed, int(people.users[row])))
        drawn = np.unique(random.integers(0, items, _NEGATIVES))
        others = drawn[~np.isin(drawn, people.histories[row]) & (drawn != target)]
        return np.concatenate([[target], others])


def _fitted(train: Training) -> list[Baseline]:
    recommenders: list[Baseline] = [
        MostPopular(),
        RecentlyPopular(),
        ItemNeighbours(100),
        ContentBased(20),
    ]
    for recommender in recommenders:
        recommender.fit(train)
    return recommenders


def _next_events(train: Training) -> Iterator[tuple[People, NDArray[np.int64]]]:
    """People before their last training event, and what that was, in batches."""
    users = np.array([u for u, history in enumerate(train.histories) if len(history) > 1])
    for start in range(0, len(users), _BATCH):
        batch = users[start : start + _BATCH]
        histories = [train.histories[user] for user in batch]
        yield (
            People(batch, [history[:-1] for history in histories]),
            np.array([history[-1] for history in histories]),
        )
