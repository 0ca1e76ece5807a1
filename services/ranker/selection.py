"""Choosing the places of a list one after the other, under rules that look at those above."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.index.encoding import Vector
from services.ranker.trace import Passed


@dataclass(frozen=True)
class Rules:
    """places: of the list. pins: candidate by place, from 0.

    max_per_category: places that one category may take. diversity: 0, relevance alone, to 1: as
    unlike the items above as there is (maximal marginal relevance, Carbonell and Goldstein 1998:
    https://doi.org/10.1145/290941.291025). explore: the chance that a place is drawn by odds
    instead of given to the best.
    """

    places: int
    pins: Mapping[int, int] = field(default_factory=dict)
    max_per_category: int | None = None
    diversity: float = 0.0
    explore: float = 0.0


class Pool(NamedTuple):
    """What to choose from: log-odds [K], unit vectors [K, D], categories of each."""

    log_odds: Vector
    vectors: Vector
    categories: Sequence[Collection[str]]


class Choice(NamedTuple):
    """A candidate for a place, and how probable it was there, given those above it."""

    candidate: int
    propensity: float = 1.0


def chosen(
    pool: Pool,
    rules: Rules,
    taken: Mapping[str, int],
    random: np.random.Generator,
    passed: list[Passed] | None = None,
) -> list[Choice]:
    """In the order of the places.

    taken: places that categories have already. Pins take part in what is counted, and are shown
    whatever the rules say; those whose place is never reached come last. passed: gets what the
    rules passed over.
    """
    return _Selection(pool, rules, taken, random, passed).run()


class _Selection:
    """One run over the places."""

    def __init__(
        self,
        pool: Pool,
        rules: Rules,
        taken: Mapping[str, int],
        random: np.random.Generator,
        passed: list[Passed] | None,
    ) -> None:
        self._passed = passed
        self._pool = pool
        self._rules = rules
        self._random = random
        self._eligible = np.ones(len(pool.log_odds), dtype=np.bool_)
        self._eligible[list(rules.pins.values())] = False
        self._nearest: Vector = np.zeros(len(pool.log_odds), dtype=np.float32)
        self._relevance = _from_0_to_1(pool.log_odds)
        self._counts = Counter(taken)
        self._members: defaultdict[str, list[int]] = defaultdict(list)
        if rules.max_per_category is not None:
            for candidate, names in enumerate(pool.categories):
                for name in names:
                    self._members[name].append(candidate)
            self._close(taken)

    def run(self) -> list[Choice]:
        pins = dict(self._rules.pins)
        choices: list[Choice] = []
        while len(choices) < self._rules.places:
            pin = pins.pop(len(choices), None)
            choice = self._next() if pin is None else Choice(pin)
            if choice is None:
                break
            self._take(choice.candidate)
            choices.append(choice)
        late = [Choice(pins[place]) for place in sorted(pins)]
        return [*choices, *late][: self._rules.places]

    def _next(self) -> Choice | None:
        """With chance `explore` in proportion to the odds, else the best."""
        if not self._eligible.any():
            return None
        best = int(np.where(self._eligible, self._values(), -np.inf).argmax())
        if self._passed is not None and self._rules.diversity:
            first = int(np.where(self._eligible, self._relevance, -np.inf).argmax())
            if first != best:
                self._passed.append(Passed(first, "diversity"))
        explore = self._rules.explore
        if not explore:
            return Choice(best)
        chances = explore * self._shares()
        chances[best] += 1 - explore
        drawn = int(self._random.choice(len(chances), p=chances / chances.sum()))
        if self._passed is not None and drawn != best:
            self._passed.append(Passed(best, "explore"))
        return Choice(drawn, float(chances[drawn]))

    def _values(self) -> Vector:
        diversity = self._rules.diversity
        if not diversity:
            return self._relevance
        values: Vector = (1 - diversity) * self._relevance - diversity * self._nearest
        return values

    def _shares(self) -> NDArray[np.float64]:
        """Of the odds of all that are eligible; sums to 1."""
        log_odds = np.where(self._eligible, self._pool.log_odds.astype(np.float64), -np.inf)
        odds = np.exp(log_odds - log_odds.max())
        shares: NDArray[np.float64] = odds / odds.sum()
        return shares

    def _take(self, candidate: int) -> None:
        self._eligible[candidate] = False
        names = self._pool.categories[candidate]
        self._counts.update(names)
        self._close(names)
        if self._rules.diversity:
            # What is at a right angle is as unlike as can be: opposites win no place by that.
            near: Vector = self._pool.vectors @ self._pool.vectors[candidate]
            np.maximum(self._nearest, near, out=self._nearest)

    def _close(self, names: Collection[str]) -> None:
        """Members of categories that have all their places are out of the running."""
        most = self._rules.max_per_category
        if most is not None:
            for name in names:
                if self._counts[name] >= most:
                    if self._passed is not None:
                        closed = [one for one in self._members[name] if self._eligible[one]]
                        self._passed.extend(Passed(one, "max_per_category") for one in closed)
                    self._eligible[self._members[name]] = False


def _from_0_to_1(log_odds: Vector) -> Vector:
    """Over the candidates, so that it can be weighed against a cosine."""
    if not len(log_odds):
        return log_odds
    least, most = log_odds.min(), log_odds.max()
    scaled: Vector = (log_odds - least) / max(most - least, 1e-9)
    return scaled
