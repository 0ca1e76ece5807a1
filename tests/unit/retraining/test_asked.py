"""Who is asked in a trial, and how much each of them counts."""

import numpy as np

from headrace.evaluation.intervals import interval
from headrace.retraining.asked import by_person, first_events, people_in, some_people
from headrace.training.split import Part

PART = Part(np.array([3, 3, 3, 5, 8, 8]), np.array([10, 11, 12, 20, 30, 31]))


def test_nobody_is_asked_more_than_so_often() -> None:
    asked = first_events(PART, 2)
    assert asked.users.tolist() == [3, 3, 5, 8, 8]
    assert asked.positions.tolist() == [10, 11, 20, 30, 31]
    assert len(first_events(Part(PART.users[:0], PART.positions[:0]), 2).users) == 0


def test_some_people_are_asked_all_of_their_events() -> None:
    assert some_people(PART, 3, seed=0) is PART
    two = some_people(PART, 2, seed=0)
    assert people_in(two) == 2
    whole = {user: (PART.users == user).sum() for user in (3, 5, 8)}
    for user in np.unique(two.users):
        assert (two.users == user).sum() == whole[int(user)]
    # Who is drawn is chance, and the same chance again.
    assert some_people(PART, 2, seed=0).positions.tolist() == two.positions.tolist()
    drawn = {tuple(np.unique(some_people(PART, 2, seed=seed).users)) for seed in range(20)}
    assert drawn == {(3, 5), (3, 8), (5, 8)}


def test_a_person_counts_once_however_much_they_did() -> None:
    means = by_person(np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0]), PART.users)
    assert means.tolist() == [2 / 3, 0.0, 0.5]


def test_ten_answers_of_each_person_make_people_surer_not_more() -> None:
    """Each person always hits or never does: their other events tell nothing more."""
    hits = np.random.default_rng(0).integers(0, 2, 200).astype(np.float64)
    users = np.repeat(np.arange(200), 10)
    assert interval(by_person(np.repeat(hits, 10), users)) == interval(hits)
