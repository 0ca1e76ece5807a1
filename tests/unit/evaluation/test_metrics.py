import math

import numpy as np
import pytest

from headrace.evaluation.metrics import hit_rate, mrr, ndcg, ranks_of, summary, values_by_name

RANKS = np.array([1, 2, 4, 11])


def test_hit_rate_is_the_share_of_ranks_up_to_k() -> None:
    assert hit_rate(RANKS, 10) == 0.75
    assert hit_rate(RANKS, 1) == 0.25


def test_ndcg_discounts_by_the_logarithm_of_the_rank() -> None:
    by_hand = (1 + 1 / math.log2(3) + 1 / math.log2(5) + 0) / 4
    assert ndcg(RANKS, 10) == pytest.approx(by_hand)


def test_mrr_is_the_mean_of_reciprocal_ranks() -> None:
    assert mrr(RANKS, 10) == pytest.approx((1 + 1 / 2 + 1 / 4) / 4)


def test_ties_count_against_the_model() -> None:
    scores = np.array([[1.0, 3.0, 3.0, 2.0], [5.0, 5.0, 5.0, 5.0]])
    assert ranks_of(scores, np.array([1, 0])).tolist() == [2, 4]


def test_items_that_are_not_shown_do_not_take_a_rank() -> None:
    scores = np.array([[1.0, -np.inf, -np.inf, 0.5]])
    assert ranks_of(scores, np.array([3])).tolist() == [2]


def test_the_summary_names_each_metric_with_its_k() -> None:
    assert list(summary(RANKS, 5)) == ["HR@5", "NDCG@5", "MRR@5"]


def test_values_of_people_have_the_summary_as_their_mean() -> None:
    values = values_by_name(RANKS, 10)
    assert {name: values[name].mean() for name in summary(RANKS)} == summary(RANKS)


def test_with_one_answer_recall_is_the_hit_and_precision_its_kth_part() -> None:
    values = values_by_name(RANKS, 4)
    assert values["recall@4"].tolist() == [1, 1, 1, 0]
    assert values["precision@4"].tolist() == [0.25, 0.25, 0.25, 0]
