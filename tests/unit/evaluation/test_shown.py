import math

import numpy as np
import pytest

from headrace.evaluation.shown import coverage, diversity, novelty


def test_coverage_counts_each_item_once() -> None:
    assert coverage(np.array([[0, 1], [1, 2]]), items=12) == 0.25


def test_novelty_is_the_surprise_of_the_items_shown() -> None:
    counts = np.array([8, 2, 0])  # of 8 people: 1, 1/4, and 1/8 for what nobody took
    by_hand = (math.log2(1) + math.log2(4) + math.log2(8)) / 3
    assert novelty(np.array([[0, 1, 2]]), counts, people=8) == pytest.approx(by_hand)


def test_diversity_is_what_the_pairs_of_a_list_do_not_share() -> None:
    vectors = np.array([[2.0, 0.0], [5.0, 0.0], [0.0, 1.0]])
    # Cosines of the pairs are 1, 0 and 0.
    assert diversity(np.array([[0, 1, 2]]), vectors) == pytest.approx(1 - 1 / 3)
    assert diversity(np.array([[0, 1], [0, 2]]), vectors) == pytest.approx(0.5)


def test_items_without_content_share_nothing() -> None:
    assert diversity(np.array([[0, 1]]), np.zeros((2, 3))) == 1.0
