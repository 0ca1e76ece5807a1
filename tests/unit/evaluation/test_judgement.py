import math

import numpy as np
import pytest

from headrace.evaluation.judgement import auc, auc_of_ranks, best_threshold, judged


def test_judgements_are_counted_by_hand() -> None:
    said = np.array([True, True, True, False, False])
    true = np.array([True, True, False, True, False])
    assert judged(said, true) == pytest.approx((3 / 5, 2 / 3, 2 / 3, 2 / 3))


def test_f1_is_the_harmonic_mean() -> None:
    said = np.array([True, True, True, True])
    true = np.array([True, False, False, False])
    assert judged(said, true) == pytest.approx((0.25, 0.25, 1.0, 0.4))


def test_saying_nothing_finds_nothing() -> None:
    nothing = np.zeros(2, dtype=np.bool_)
    assert judged(nothing, np.array([True, False])) == (0.5, 0.0, 0.0, 0.0)


def test_the_best_threshold_is_right_most_often() -> None:
    scores = np.array([1.0, 2.0, 3.0, 4.0])
    assert best_threshold(scores, np.array([False, True, False, True])) in (2.0, 4.0)
    assert best_threshold(scores, np.array([False, False, True, True])) == 3.0
    assert best_threshold(scores, np.array([True, True, True, True])) == 1.0
    assert best_threshold(scores, np.array([False, False, False, False])) == math.inf


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    scores = np.array([0.9, 0.4, 0.6, 0.1])
    true = np.array([True, True, False, False])
    assert auc(scores, true) == 3 / 4  # .4 lies below .6


def test_ties_count_half_in_auc() -> None:
    scores = np.array([1.0, 1.0, 1.0, 0.0])
    true = np.array([True, False, False, False])
    assert auc(scores, true) == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_auc_of_one_kind_alone_is_unknown() -> None:
    assert math.isnan(auc(np.array([1.0, 2.0]), np.array([True, True])))


def test_auc_of_a_rank_is_the_share_of_wrong_items_below_it() -> None:
    assert auc_of_ranks(np.array([1, 3, 5]), np.array([5, 5, 5])).tolist() == [1.0, 0.5, 0.0]
