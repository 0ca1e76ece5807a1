"""A sample of the clicks tells of all of them."""

from services.ranker.accuracy.sampling import Budget, Panel, place
from tests.unit.ranker.accuracy.reading import Clock


def test_few_clicks_are_all_taken_and_count_once() -> None:
    clock = Clock()
    budget = Budget(per_s=5, clock=clock)
    weights = []
    for number in range(300):
        clock.now += 1.0
        weights.append(budget.weight(f"e{number}"))
    assert weights == [1.0] * 300


def test_of_many_clicks_about_so_many_are_taken_as_the_budget_allows() -> None:
    clock = Clock()
    budget = Budget(per_s=5, clock=clock)
    taken = 0
    for number in range(100_000):  # 1,000 a second
        clock.now += 0.001
        weight = budget.weight(f"e{number}")
        if number >= 20_000:
            taken += weight > 0
    assert 300 < taken < 500  # of 80 s


def test_the_weights_add_up_to_all_clicks_whatever_their_rate() -> None:
    clock = Clock()
    budget = Budget(per_s=50, clock=clock)
    total = count = 0.0
    for number in range(200_000):
        clock.now += 0.0005 if (number // 20_000) % 2 else 0.005
        total += budget.weight(f"e{number}")
        count += 1
    assert abs(total / count - 1) < 0.05


def test_the_same_click_is_in_the_sample_or_not_everywhere() -> None:
    assert place("e1") == place("e1")
    assert place("e1") != place("e2")


def test_places_are_even() -> None:
    places = [place(f"id-{number}") for number in range(10_000)]
    assert all(0 <= one < 1 for one in places)
    for tenth in range(10):
        within = sum(tenth / 10 <= one < (tenth + 1) / 10 for one in places)
        assert 900 < within < 1_100


def test_a_panel_is_that_share_of_people() -> None:
    people = [f"user-{number}" for number in range(10_000)]
    assert all(Panel(1.0).has(one) for one in people)
    assert not any(Panel(0.0).has(one) for one in people)
    assert 1_900 < sum(Panel(0.2).has(one) for one in people) < 2_100
