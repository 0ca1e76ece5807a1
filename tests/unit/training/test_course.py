import pytest

from headrace.training.budget import Budget
from headrace.training.course import Course, learning_rate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_epochs_time_is_the_measure() -> None:
    clock = Clock()
    course = Course(Budget(100, clock, spent=20), epochs=None)
    clock.now = 30
    assert course.share(7) == 0.5
    assert not course.over(7)
    clock.now = 80
    assert course.over(7)


def test_with_epochs_time_only_cuts_off() -> None:
    clock = Clock()
    course = Course(Budget(100, clock), epochs=4)
    clock.now = 90
    assert course.share(1.5) == 0.375
    assert course.over(4)
    clock.now = 100
    assert course.over(1)


def test_judging_takes_a_small_part_of_the_time() -> None:
    clock = Clock()
    course = Course(Budget(1000, clock), epochs=None)
    clock.now = 500
    assert not course.judgement_due(9, judged=0.1, since_s=100, cost_s=10)
    assert course.judgement_due(9, judged=0.1, since_s=400, cost_s=10)
    assert not course.judgement_due(9, judged=0.49, since_s=400, cost_s=10)


def test_the_rate_warms_up_and_then_sinks_to_a_twentieth() -> None:
    assert learning_rate(1.0, 0.0, 0) == pytest.approx(0.02)
    assert learning_rate(1.0, 0.0, 1000) == pytest.approx(1.0)
    assert learning_rate(1.0, 1.0, 1000) == pytest.approx(0.05)
