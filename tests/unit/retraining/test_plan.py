"""What is set aside of the time for what follows training."""

from math import inf

import pytest

from headrace.errors import FailedPrecondition
from headrace.retraining.plan import Plan, Rehearsal, planned

HOUR = 3_600.0
# A hundred people are asked in a second.
QUICK = Rehearsal(loading_s=2.0, catalogue_s=5.0, person_s=0.01)


def test_everybody_is_asked_where_that_takes_little_and_training_gets_the_rest() -> None:
    # Both halves of the trial: 2 * (5 + 100); the bundle is read four times; a quarter more of all.
    after_s = 1.25 * (210 + 8)
    plan = planned(HOUR, 60.0, QUICK, people=10_000, fewest=100)
    assert plan == Plan(10_000, HOUR - 60 - after_s, 60.0)


def test_of_very_many_people_so_many_are_asked_as_a_quarter_of_the_time_is_for() -> None:
    plan = planned(HOUR, 60.0, QUICK, people=1_000_000, fewest=100)
    assert plan.people == 44_500
    assert QUICK.trial_s(plan.people) == HOUR / 4
    assert plan.train_s == pytest.approx(HOUR - 60 - 1.25 * (900 + 8))


def test_never_are_fewer_people_asked_than_a_trial_wants() -> None:
    slow = Rehearsal(loading_s=1.0, catalogue_s=1.0, person_s=5.0)
    assert planned(HOUR, 0.0, slow, people=1_000, fewest=120).people == 120


@pytest.mark.parametrize("people", [100, 1_000_000])
@pytest.mark.parametrize("spent_s", [50.0, 2_000.0])
def test_too_little_time_is_refused_and_the_time_that_is_enough_is(
    people: int, spent_s: float
) -> None:
    slow = Rehearsal(loading_s=30.0, catalogue_s=20.0, person_s=1.0)
    with pytest.raises(FailedPrecondition, match="--minutes 5 is too little") as refused:
        planned(300.0, spent_s, slow, people=people, fewest=100)
    enough = int(str(refused.value).rpartition("--minutes ")[2].split()[0])
    plan = planned(60.0 * enough, spent_s, slow, people=people, fewest=100)
    assert plan.train_s >= 60 * enough / 3


def test_without_a_limit_everybody_is_asked_and_training_has_none() -> None:
    assert planned(inf, 60.0, QUICK, people=1_000_000, fewest=100) == Plan(1_000_000, inf, 60.0)
