"""Places are taken one after the other, under rules that look at those above."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pytest

from services.ranker.catalogue import unit
from services.ranker.selection import Pool, Rules, chosen


def pool(
    relevance: Sequence[float],
    vectors: object = None,
    categories: Sequence[Collection[str]] | None = None,
) -> Pool:
    given = np.eye(len(relevance)) if vectors is None else np.array(vectors)
    return Pool(
        np.array(relevance, dtype=np.float32),
        unit(given.astype(np.float32)),
        categories or [()] * len(relevance),
    )


def places(offered: Pool, rules: Rules, taken: Mapping[str, int]) -> list[int]:
    choices = chosen(offered, rules, taken, np.random.default_rng(0))
    assert all(choice.propensity == 1 for choice in choices)
    return [choice.candidate for choice in choices]


def test_without_rules_the_best_come_first() -> None:
    assert places(pool([1, 3, 2, 3]), Rules(3), {}) == [1, 3, 2]
    assert places(pool([]), Rules(3), {}) == []


def test_a_pin_has_its_place_and_no_other() -> None:
    assert places(pool([9, 8, 7, 6]), Rules(3, pins={0: 3, 2: 0}), {}) == [3, 1, 0]


def test_a_pin_behind_the_end_comes_last() -> None:
    assert places(pool([9, 8, 7]), Rules(10, pins={7: 0, 5: 2}), {}) == [1, 2, 0]


def test_a_category_has_no_more_than_its_places() -> None:
    categories = [("a",), ("a", "b"), ("a",), ("b",), ("c",), ()]
    offered = pool([9, 8, 7, 6, 5, 4], categories=categories)
    assert places(offered, Rules(6, max_per_category=1), {}) == [0, 3, 4, 5]
    assert places(offered, Rules(6, max_per_category=1), {"c": 1}) == [0, 3, 5]
    assert places(offered, Rules(6, max_per_category=2), {}) == [0, 1, 3, 4, 5]


def test_a_pin_counts_for_its_category_and_is_not_held_back_by_it() -> None:
    offered = pool([9, 8, 7], categories=[("a",), ("a",), ("b",)])
    assert places(offered, Rules(3, pins={0: 1}, max_per_category=1), {}) == [1, 2]
    assert places(offered, Rules(3, pins={0: 0, 1: 1}, max_per_category=1), {}) == [0, 1, 2]


def test_diversity_weighs_relevance_against_likeness() -> None:
    twins = [[1, 0], [1, 0.01], [0, 1], [-1, 0.2]]
    offered = pool([10, 9.9, 5, 0], twins)
    assert places(offered, Rules(4, diversity=0.0), {}) == [0, 1, 2, 3]
    assert places(offered, Rules(4, diversity=0.5), {})[:2] == [0, 2]
    assert places(offered, Rules(3, diversity=1.0), {}) == [0, 2, 3]


def test_each_place_has_the_greatest_marginal_relevance() -> None:
    random = np.random.default_rng(0)
    offered = pool(random.standard_normal(30).tolist(), random.standard_normal((30, 4)))
    got = places(offered, Rules(10, diversity=0.4), {})
    relevance = (offered.log_odds - offered.log_odds.min()) / np.ptp(offered.log_odds)
    for place in range(1, 10):
        above = got[:place]
        likeness = (offered.vectors @ offered.vectors[above].T).max(axis=1).clip(0)
        values = 0.6 * relevance - 0.4 * likeness
        values[above] = -np.inf
        assert got[place] == int(values.argmax())


def test_the_propensity_is_how_often_an_item_is_put_at_its_place_below_those_above() -> None:
    random = np.random.default_rng(1)
    offered = pool([1.0, 0.5, 0.0, -1.0, -2.0], categories=[("a",), ("a",), ("b",), ("b",), ()])
    rules = Rules(3, pins={1: 4}, max_per_category=1, explore=0.4, diversity=0.3)
    runs = 6_000
    count: Counter[tuple[int, ...]] = Counter()
    told: dict[tuple[int, ...], float] = {}
    for _ in range(runs):
        choices = chosen(offered, rules, {}, random)
        above: tuple[int, ...] = ()
        for choice in choices:
            above = (*above, choice.candidate)
            assert told.setdefault(above, choice.propensity) == choice.propensity
            count[above] += 1
    for above, propensity in told.items():
        tries = count[above[:-1]] if len(above) > 1 else runs
        error = (propensity * (1 - propensity) / tries) ** 0.5
        assert abs(count[above] / tries - propensity) <= 5 * error + 1e-12, above
    firsts = [propensity for above, propensity in told.items() if len(above) == 1]
    assert sum(firsts) == pytest.approx(1)
    assert told[(0,)] == pytest.approx(0.6 + 0.4 * np.exp(1) / np.exp([1, 0.5, 0, -1]).sum())


def test_full_exploration_is_a_draw_by_odds_without_replacement() -> None:
    choices = chosen(pool([3, 2, 1]), Rules(3, explore=1.0), {}, np.random.default_rng(0))
    assert sorted(one.candidate for one in choices) == [0, 1, 2]
    assert choices[-1].propensity == 1
