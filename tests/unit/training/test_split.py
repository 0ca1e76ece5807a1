from dataclasses import replace

import numpy as np

from headrace.training.split import split
from tests.unit.training.logs import log_of


def test_the_last_event_is_the_test_and_the_one_before_it_validation() -> None:
    log = log_of([1, 2, 3, 4], [5, 6, 7])
    parts = split(log, "leave-one-out")
    assert log.items[parts.test.positions].tolist() == [4, 7]
    assert log.items[parts.validation.positions].tolist() == [3, 6]
    assert log.items[parts.training_events(log)].tolist() == [1, 2, 5]


def test_validation_is_part_of_the_history_at_test_time() -> None:
    log = log_of([1, 2, 3, 4])
    question = split(log, "leave-one-out").test.questions(log)
    assert question.histories[0].tolist() == [1, 2, 3]
    assert question.targets.tolist() == [4]


def test_people_with_two_events_are_trained_on_and_not_asked() -> None:
    log = log_of([1, 2], [3, 4, 5])
    parts = split(log, "leave-one-out")
    assert parts.test.users.tolist() == [1]
    assert log.items[parts.training_events(log)].tolist() == [1, 2, 3]


def test_without_holdout_nothing_is_kept_for_a_test() -> None:
    log = log_of([1, 2, 3, 4])
    parts = split(log, "none")
    assert len(parts.test.users) == 0
    assert log.items[parts.training_events(log)].tolist() == [1, 2, 3]


def test_another_order_has_another_digest() -> None:
    digests = {
        split(log_of(history), "leave-one-out").digest for history in ([1, 2, 3, 4], [1, 2, 4, 3])
    }
    again = split(log_of([1, 2, 3, 4]), "leave-one-out").digest
    assert len(digests) == 2
    assert again in digests


def test_counts_are_of_the_training_part() -> None:
    log = log_of([1, 1, 2, 2], [1, 3, 3], items=4)
    events = split(log, "leave-one-out").training_events(log)
    np.testing.assert_array_equal(log.counts(events), [0, 3, 0, 0])


def test_who_took_cold_items_is_asked_about_one_and_known_by_the_warm_ones() -> None:
    log = log_of([0, 1, 2, 7, 8], [0, 2, 3, 9], [1, 2, 3])
    parts = np.array([0, 0, 1, 2, 2, 0, 0, 1, 2, 0, 0, 1], dtype=np.int8)
    test = split(replace(log, parts=parts), "prepared").test
    assert test.users.tolist() == [0, 1]
    asked = test.questions(log)
    assert asked.targets.tolist() == [7, 9]
    assert [history.tolist() for history in asked.histories] == [[0, 1, 2], [0, 2, 3]]


def test_each_person_is_asked_what_comes_first_and_rates_all_that_is_held_out() -> None:
    log = log_of([0, 1, 2, 3, 4, 5], [0, 1, 2])
    parts = split(
        replace(log, parts=np.array([0, 0, 1, 1, 2, 2, 0, 1, 2], dtype=np.int8)), "prepared"
    )
    assert parts.validation.positions.tolist() == [2, 7]
    assert parts.test.positions.tolist() == [4, 8]
    assert parts.held_out["validation"].positions.tolist() == [2, 3, 7]
    assert parts.held_out["test"].positions.tolist() == [4, 5, 8]


def test_the_newest_events_of_long_histories_can_be_left_out() -> None:
    log = log_of(list(range(30)), [1, 2, 3, 4], items=30)
    parts = split(log, "leave-one-out")
    assert parts.ends_before(log, 2).tolist() == [26, 32]
