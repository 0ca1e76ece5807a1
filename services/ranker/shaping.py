"""Lists with boosts, pins, limits and pages: more candidates, then a choice place by place."""

import math
from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from headrace.index.encoding import Vector
from headrace.index.rows import as_array
from headrace.index.table import Ordinals
from services.ranker import cursor
from services.ranker.answers import Source
from services.ranker.catalogue import Catalogue, unit
from services.ranker.filters import Filters
from services.ranker.finders import Candidates, Finder, Part
from services.ranker.query import ListQuery
from services.ranker.selection import Pool, Rules, chosen
from services.ranker.trace import Passed, Trace

# Of the candidates, so many more are looked for where a boost lifts them, or does not sink them.
_BOOSTED_SHARE = 0.5


class Place(NamedTuple):
    """A candidate that was chosen. propensity: where places were drawn."""

    ordinal: int
    score: float
    source: Source
    propensity: float | None = None


class _Found(NamedTuple):
    """Candidates, and the log-odds [K] by which they are chosen."""

    candidates: Candidates
    log_odds: Vector


class Shaping:
    """Makes one list after the other; keeps nothing."""

    def __init__(self, catalogue: Catalogue, filters: Filters, candidates: int) -> None:
        self._catalogue = catalogue
        self._filters = filters
        self._candidates = candidates

    def places(
        self,
        query: ListQuery,
        allowed: BitMap,
        finder: Finder,
        unwanted: BitMap,
        trace: Trace | None = None,
    ) -> list[Place]:
        """In order; fewer than n only where no more are allowed by filter and rules.

        unwanted: not shown where they are pinned either.
        Raises: InvalidInput where the cursor cannot be read.
        """
        shown = cursor.decode(query.cursor or "")
        pins = self._pins(query, unwanted)
        pinned = BitMap(pins.values())
        left = allowed - shown - pinned
        here = self._here(pins, len(shown), query.n)
        if trace is not None:
            trace.leaves("shown", allowed - shown)
            trace.pins((ordinal, place + 1) for place, ordinal in here.items())
        places: list[Place] = []
        counts: Counter[str] = Counter()
        while len(places) < query.n and (left or here):
            found = self._found(query, left, here, finder, trace)
            places += self._chosen(query, found, here, counts, trace)
            left = (
                left
                - BitMap(found.candidates.ordinals)
                - self._full(query.max_per_category, counts)
            )
            here = {}
        return places[: query.n]

    def _pins(self, query: ListQuery, unwanted: BitMap) -> dict[int, int]:
        """Visible ordinals by position, from 1."""
        known = {pin.position: self._catalogue.ordinal(pin.item_id) for pin in query.pin}
        excluded = unwanted | BitMap(self._catalogue.ordinals(query.exclude))
        return {
            position: ordinal
            for position, ordinal in known.items()
            if ordinal is not None and ordinal not in excluded
        }

    def _here(self, pins: Mapping[int, int], before: int, n: int) -> dict[int, int]:
        """Those of this page, by place from 0."""
        places = {position - 1 - before: ordinal for position, ordinal in pins.items()}
        return {place: ordinal for place, ordinal in places.items() if 0 <= place < n}

    def _found(
        self,
        query: ListQuery,
        left: BitMap,
        here: Mapping[int, int],
        finder: Finder,
        trace: Trace | None,
    ) -> _Found:
        k = max(self._candidates, query.n)
        parts = [Part(left, k), Part(BitMap(here.values()), len(here))]
        for boost in query.boost:
            those = self._filters.matching(boost.filter)
            lifted = left & those if boost.factor > 1 else left - those
            parts.append(Part(lifted, max(query.n, int(_BOOSTED_SHARE * k))))
        found = finder.find(parts)
        log_odds = finder.log_odds(found.scores)
        if trace is not None:
            trace.finds(*found)
        if not query.boost:
            return _Found(found, log_odds)
        for number, boost in enumerate(query.boost):
            moved = as_array(self._filters.matching(boost.filter) & BitMap(found.ordinals))
            log_odds[np.isin(found.ordinals, moved)] += math.log(boost.factor)
            if trace is not None:
                trace.boost_moves(number, moved)
        found = found._replace(scores=finder.scores(log_odds))
        if trace is not None:
            trace.weighs(found.ordinals, found.scores)
        return _Found(found, log_odds)

    def _chosen(
        self,
        query: ListQuery,
        found: _Found,
        here: Mapping[int, int],
        counts: Counter[str],
        trace: Trace | None,
    ) -> list[Place]:
        """At most n; adds to `counts`."""
        candidates, log_odds = found
        at = {ordinal: index for index, ordinal in enumerate(candidates.ordinals.tolist())}
        pins = {place: at[ordinal] for place, ordinal in here.items() if ordinal in at}
        rules = Rules(query.n, pins, query.max_per_category, query.diversity, query.explore)
        vectors = self._vectors(candidates.ordinals, rules)
        pool = Pool(log_odds, vectors, self._categories(candidates))
        passed: list[Passed] | None = None if trace is None else []
        choices = chosen(pool, rules, counts, np.random.default_rng(), passed)
        if trace is not None and passed:
            trace.passes(candidates.ordinals, passed)
        pinned = set(pins.values())
        counts.update(name for one in choices for name in pool.categories[one.candidate])
        return [
            Place(
                int(candidates.ordinals[index]),
                float(candidates.scores[index]),
                Source.PINNED if index in pinned else candidates.sources[index],
                propensity if query.explore else None,
            )
            for index, propensity in choices
        ]

    def _vectors(self, ordinals: Ordinals, rules: Rules) -> Vector:
        if not rules.diversity:
            return np.zeros((len(ordinals), 0), dtype=np.float32)
        return unit(self._catalogue.facts(ordinals).vectors)

    def _categories(self, found: Candidates) -> list[Collection[str]]:
        items = map(self._catalogue.item, found.ordinals.tolist())
        return [frozenset(item.facets.categories) for item in items]

    def _full(self, most: int | None, counts: Mapping[str, int]) -> BitMap:
        """Items of categories that have all their places."""
        if most is None:
            return BitMap()
        full = [name for name, count in counts.items() if count >= most]
        return BitMap.union(BitMap(), *map(self._catalogue.facets.named, full))
