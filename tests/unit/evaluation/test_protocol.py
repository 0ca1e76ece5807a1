import numpy as np

from headrace.evaluation.popular import MostPopular
from headrace.evaluation.protocol import Questions, rank_targets


def questions(*pairs: tuple[list[int], int]) -> Questions:
    return Questions(
        [np.array(history, dtype=np.int64) for history, _ in pairs],
        np.array([target for _, target in pairs]),
    )


def test_what_a_person_had_is_not_ranked() -> None:
    popular = MostPopular(np.array([9, 8, 7, 6]))
    asked = questions(([0, 1], 2), ([], 2))
    assert rank_targets(popular, asked).tolist() == [1, 3]


def test_a_target_that_the_person_had_before_stays_in() -> None:
    popular = MostPopular(np.array([9, 8, 7]))
    assert rank_targets(popular, questions(([1, 0], 1))).tolist() == [1]


def test_equal_counts_put_the_target_last_among_equals() -> None:
    popular = MostPopular(np.array([5, 5, 5, 1]))
    assert rank_targets(popular, questions(([], 0))).tolist() == [3]


def test_no_questions_have_no_ranks() -> None:
    assert rank_targets(MostPopular(np.array([1])), questions()).tolist() == []
