"""What happens on the way to a list, as the parts that make it tell. Without a trace they tell
nothing, and do nothing else: a list that is looked into is the list that is served."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from pyroaring import BitMap

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from services.ranker.answers import Source

Step = Literal["hidden", "category", "filter", "seen", "not_interested", "exclude", "shown"]
"""What narrows the catalogue, in this order. `not_interested`: the person said so; `exclude`: with
the items of the visit; `shown`: on the pages before."""

Rule = Literal["max_per_category", "diversity", "explore"]
"""What passes over a candidate that would have had the place by its score."""


class Left(NamedTuple):
    """What a step left."""

    step: Step
    ordinals: BitMap


class FoundOne(NamedTuple):
    """score: of the head, or of what else orders the list, before boosts."""

    score: float
    source: Source


class Trace:
    """Of one list. Where it is made again, since an item was hidden meanwhile, the last counts."""

    def __init__(self) -> None:
        self.again()

    def again(self) -> None:
        self.left: list[Left] = []
        self.retrieved: dict[int, float] = {}
        self.found: dict[int, FoundOne] = {}
        self.boosted: dict[int, float] = {}
        self.boosts: defaultdict[int, list[int]] = defaultdict(list)
        self.passed: defaultdict[int, set[Rule]] = defaultdict(set)
        self.pinned: dict[int, int] = {}
        self.vanished: list[int] = []

    def leaves(self, step: Step, ordinals: BitMap) -> None:
        self.left.append(Left(step, ordinals))

    def retrieves(self, ordinals: Ordinals, scores: Vector) -> None:
        """What is near, nearest first, before the head orders it: [K], [K]."""
        self.retrieved.update(zip(ordinals.tolist(), scores.tolist(), strict=True))

    def finds(self, ordinals: Ordinals, scores: Vector, sources: Sequence[Source]) -> None:
        """Candidates in their order: [K], [K]."""
        for ordinal, score, source in zip(ordinals.tolist(), scores.tolist(), sources, strict=True):
            self.found.setdefault(ordinal, FoundOne(score, source))

    def boost_moves(self, boost: int, ordinals: Ordinals) -> None:
        """boost: its place in the request."""
        self.boosts[boost].extend(ordinals.tolist())

    def weighs(self, ordinals: Ordinals, scores: Vector) -> None:
        """Scores after boosts: [K], [K]."""
        self.boosted.update(zip(ordinals.tolist(), scores.tolist(), strict=True))

    def passes(self, ordinals: Ordinals, passed: Iterable["Passed"]) -> None:
        """ordinals: of the candidates by number."""
        for candidate, rule in passed:
            self.passed[int(ordinals[candidate])].add(rule)

    def pins(self, places: Iterable[tuple[int, int]]) -> None:
        """(ordinal, place from 1 of this page)."""
        self.pinned.update(places)

    def vanishes(self, ordinals: Iterable[int]) -> None:
        """Hidden between being found and being shown."""
        self.vanished.extend(ordinals)

    def ranks(self) -> list[int]:
        """Candidates by score after boosts, best first; without boosts in the finder's order."""
        found = list(self.found)
        if not self.boosted:
            return found
        scores = np.array([self.boosted.get(one, self.found[one].score) for one in found])
        return [found[index] for index in np.argsort(-scores, kind="stable").tolist()]


class Passed(NamedTuple):
    """A candidate, by number, and what passed over it."""

    candidate: int
    rule: Rule
