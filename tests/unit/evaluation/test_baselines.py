"""Known answers of those baselines that can be worked out by hand."""

import numpy as np
import pytest

from headrace.bundle.content import ItemContent
from headrace.errors import DataInvalid
from headrace.evaluation.baselines.base import Baseline, People, Scores, Training
from headrace.evaluation.baselines.content import ContentBased
from headrace.evaluation.baselines.ease import Ease
from headrace.evaluation.baselines.factors import Svd
from headrace.evaluation.baselines.neighbours import ItemNeighbours, UserNeighbours
from headrace.evaluation.baselines.popularity import MostPopular, RecentlyPopular
from headrace.evaluation.baselines.tuned import Tuned


def training(*histories: list[int], items: int = 4, asked: int = 0) -> Training:
    had = [np.array(history, dtype=np.int64) for history in histories]
    catalogue = [ItemContent(f"i{i}") for i in range(items)]
    return Training(catalogue, had, People(np.array([0]), had[:1]), np.array([asked]))


def person(*items: int) -> People:
    return People(np.array([0]), [np.array(items, dtype=np.int64)])


def scores(baseline: Baseline, train: Training, *items: int) -> list[float]:
    baseline.fit(train)
    found: Scores = baseline.score(person(*items))
    return [float(score) for score in found[0]]


def test_popularity_counts_every_event() -> None:
    assert scores(MostPopular(), training([0, 1, 1], [1, 2])) == [1, 3, 1, 0]


def test_recent_popularity_counts_the_last_five_events_of_each() -> None:
    assert scores(RecentlyPopular(), training([3, 0, 0, 1, 1, 2], [3])) == [2, 2, 1, 1]


def test_an_item_is_as_near_as_the_cosine_of_its_people() -> None:
    train = training([0, 1], [0, 1], [0, 2], [0])
    # Item 0 has four people, item 1 two of them and item 2 one.
    by_hand = [0, 2 / np.sqrt(4 * 2), 1 / np.sqrt(4), 0]
    assert scores(ItemNeighbours(10), train, 0) == pytest.approx(by_hand)


def test_only_the_nearest_items_count() -> None:
    train = training([0, 1], [0, 1], [0, 2], [0])
    assert np.flatnonzero(scores(ItemNeighbours(1), train, 0)).tolist() == [1]


def test_the_nearest_people_vote_with_their_likeness() -> None:
    train = training([0, 1], [2, 3])
    by_hand = [1 / np.sqrt(2), 1 / np.sqrt(2), 0, 0]
    assert scores(UserNeighbours(5), train, 0) == pytest.approx(by_hand)


def test_ease_of_two_items_is_solved_by_hand() -> None:
    # G = [[2, 1], [1, 2]], λ = 1: the weight of one for the other is G01 / (G11 + λ) = 1/3.
    train = training([0, 1], [0], [1], items=2)
    assert scores(Ease(1.0), train, 0) == pytest.approx([0, 1 / 3])


def test_ease_refuses_a_catalogue_that_it_cannot_invert() -> None:
    with pytest.raises(DataInvalid, match="20,001 items"):
        Ease(1.0).fit(training([0], items=20_001))


def test_one_factor_is_the_commonest_pattern() -> None:
    train = training([0, 1], [0, 1], [0, 1], [2, 3])
    assert scores(Svd(1), train, 0) == pytest.approx([0.5, 0.5, 0, 0], abs=1e-6)


def test_content_finds_shared_words_and_categories() -> None:
    catalogue = [
        ItemContent("a", "dark water", categories=("drama",)),
        ItemContent("b", "bright water"),
        ItemContent("c", "something", categories=("drama",)),
        ItemContent("d", "else"),
    ]
    had = [np.array([0])]
    train = Training(catalogue, had, People(np.array([0]), had), np.array([1]))
    found = scores(ContentBased(5), train, 0)
    assert found[0] == pytest.approx(1.0)
    assert min(found[1], found[2]) > found[3] == 0


def test_items_without_content_are_all_alike() -> None:
    assert scores(ContentBased(5), training([0, 1]), 0) == [0, 0, 0, 0]


def test_tuning_keeps_what_is_best_on_validation() -> None:
    # Person 0 had item 0 and took item 1 next, as people with item 0 do; item 3 is more popular.
    train = training([0], [0, 1], [0, 1], [3, 3, 3, 3], asked=1)
    tuned = Tuned([MostPopular(), ItemNeighbours(2)])
    assert scores(tuned, train, 0) == scores(ItemNeighbours(2), train, 0)
