"""Content alone: items whose words and categories are those of what a person had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from headrace.bundle.content import ItemContent
from headrace.bundle.vocabulary import words_of
from headrace.evaluation.baselines.base import People, Scores, Training


@dataclass(eq=False)
class ContentBased:
    """Cosine of tf-idf vectors: an item against the sum of a person's `last` items."""

    last: int

    def fit(self, train: Training) -> None:
        if any(map(_terms, train.catalogue)):
            self._items = TfidfVectorizer(analyzer=_terms, dtype=np.float32).fit_transform(
                train.catalogue
            )
        else:  # nothing is known of any item
            self._items = np.zeros((train.items, 1), dtype=np.float32)

    def score(self, people: People) -> Scores:
        lately = People(people.users, [history[-self.last :] for history in people.histories])
        profiles = normalize(lately.matrix(self._items.shape[0]) @ self._items)
        scores = profiles @ self._items.T
        return np.asarray(scores if isinstance(scores, np.ndarray) else scores.toarray())


def _terms(item: ItemContent) -> list[str]:
    return [*words_of(item), *(f"category {name}" for name in item.categories)]
