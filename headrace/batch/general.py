"""Lists for those of whom nothing is known, or who do not want personal ones: what is trending,
then what was chosen most in training. As the ranker makes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pyroaring import BitMap

from headrace.api.ranker.v1.ranker_pb2 import SOURCE_POPULAR, SOURCE_TRENDING
from headrace.batch.items import ItemArrays, Rows
from headrace.batch.lists import ListMaker, Lists
from headrace.batch.people import People
from headrace.index.rows import as_array
from headrace.index.vector_index import ABSENT
from headrace.store.trend import Trend


class GeneralLists:
    """One order for everybody, from which each list leaves out what is not to be in it."""

    def __init__(self, items: ItemArrays, trend: Trend, *, n: int) -> None:
        self._items = items
        self._width = min(n, len(items.visible))
        found = items.rows(trend.ordinals)
        shown = np.isin(found, items.visible)
        trending = found[shown]
        others = np.setdiff1d(items.visible, trending)
        popularity = items.facts.popularity[others]
        order = np.argsort(-popularity, kind="stable")
        # Scores only order: those of what is trending lie above 1, the others below.
        pressed = popularity[order] / (1 + popularity[order])
        self._rows = np.concatenate([trending, others[order]])
        self._scores = np.concatenate([1 + trend.scores[shown], pressed]).astype(np.float32)
        self._sources = np.where(self._scores > 1, SOURCE_TRENDING, SOURCE_POPULAR)
        self._whole = self._first(np.arange(self._width))

    def make(self, left_out: Sequence[BitMap]) -> Lists:
        """left_out: of each of U people, ordinals that are not to be in the list."""
        lists = [self._without(own) if own else self._whole for own in left_out]
        return Lists(*(np.stack(parts) for parts in zip(*lists, strict=True)))

    def _without(self, left_out: BitMap) -> Lists:
        out = np.isin(self._rows, self._items.rows(as_array(left_out)))
        return self._first(np.flatnonzero(~out)[: self._width])

    def _first(self, places: Rows) -> Lists:
        """One list: [n]."""
        lacking = (0, self._width - len(places))
        return Lists(
            np.pad(self._rows[places], lacking, constant_values=ABSENT),
            np.pad(self._scores[places], lacking, constant_values=-np.inf),
            np.pad(self._sources[places], lacking).astype(np.uint8),
        )


def lists_for(people: People, personal: ListMaker, general: GeneralLists) -> Lists:
    """Personal ones, and general ones for those with n = 0."""
    known, others = np.flatnonzero(people.n > 0), np.flatnonzero(people.n == 0)
    if not len(others):
        return personal.make(people)
    mine = personal.make(people.only(known))
    anybody = general.make(people.only(others).seen)
    back = np.argsort(np.concatenate([known, others]))
    return Lists(
        np.concatenate([mine.rows, anybody.rows])[back],
        np.concatenate([mine.scores, anybody.scores])[back],
        np.concatenate([mine.sources, anybody.sources])[back],
    )
