"""What counts for which list, and for which model."""

import math

import pytest

from headrace.contracts.events import EventType
from headrace.release.outcomes import (
    CLICK_WINDOW_S,
    PURCHASE_WINDOW_S,
    Act,
    Compared,
    Outcomes,
    Served,
    compare,
    ndcg,
)
from headrace.release.report import lines
from headrace.release.shares import chosen

NOW = 1_700_000_000.0


def outcomes(served: list[Served], acts: list[Act]) -> Outcomes:
    """Of one model's people: nobody is chosen."""
    return compare(served, acts, "salt", 0.0).live


def click(at: float, item: str, user: str = "ann", kind: EventType = EventType.CLICK) -> Act:
    return Act(user, NOW + at, item, kind)


def test_a_click_counts_for_the_last_list_that_showed_the_item() -> None:
    found = outcomes(
        [
            Served("ann", NOW, ("a", "b")),
            Served("ann", NOW + 10, ("b", "c")),
            Served("ann", NOW + 20, ("d",)),
        ],
        [click(25, "b")],
    )
    assert (found.click_through.y, found.click_through.x) == (1, 3)
    assert found.ndcg.y == 1.0  # b was first in that list


def test_what_was_not_shown_or_long_ago_or_by_somebody_else_does_not_count() -> None:
    found = outcomes(
        [Served("ann", NOW, ("a",)), Served("bob", NOW, ("z",))],
        [
            click(5, "b"),
            click(-10, "a"),
            click(CLICK_WINDOW_S + 1, "a"),
            click(5, "a", user="bob"),
            click(5, "a", user="eve"),
            click(5, "a", kind=EventType.DISLIKE),
            click(5, "a", kind=EventType.VIEW),
        ],
    )
    assert (found.click_through.y, found.click_through.x) == (0, 2)
    assert found.ndcg.ratio() is None


def test_a_purchase_has_a_day() -> None:
    served = [Served("ann", NOW, ("a",))]
    late = outcomes(served, [click(PURCHASE_WINDOW_S - 1, "a", kind=EventType.PURCHASE)])
    assert (late.conversion.y, late.click_through.y) == (1, 0)
    too_late = outcomes(served, [click(PURCHASE_WINDOW_S + 1, "a", kind=EventType.PURCHASE)])
    assert too_late.conversion.y == 0


def test_two_clicks_in_a_list_are_one_list_with_clicks() -> None:
    found = outcomes([Served("ann", NOW, ("a", "b", "c"))], [click(1, "b"), click(2, "c")])
    assert found.click_through.y == 1
    # (1/log2(3) + 1/log2(4)) / (1/log2(2) + 1/log2(3))
    expected = (1 / math.log2(3) + 0.5) / (1 + 1 / math.log2(3))
    assert found.ndcg.y == pytest.approx(expected)


def test_ndcg_of_known_places() -> None:
    assert ndcg({1}) == 1.0
    assert ndcg({3}) == 0.5
    assert ndcg({11}) == 0.0
    assert ndcg({1, 2, 3}) == 1.0


def test_people_are_of_the_model_that_they_were_chosen_for() -> None:
    people = [f"user-{number}" for number in range(400)]
    served = [Served(user, NOW, ("a",)) for user in people]
    acts = [click(1, "a", user=user) for user in people if chosen(user, "salt", 0.25)]
    live, candidate = compare(served, acts, "salt", 0.25)
    assert candidate.people == len(acts)
    assert live.people == len(people) - len(acts)
    assert candidate.click_through.y == len(acts)
    assert live.click_through.y == 0


def filled(people: int, clicking: int) -> Outcomes:
    found = Outcomes(lists=people)
    for number in range(people):
        found.click_through.add(float(number < clicking), 1)
        found.conversion.add(0, 1)
        found.ndcg.add(0, 0)
    return found


def test_the_report_says_better_worse_or_not_told_apart() -> None:
    def said(clicking: int) -> str:
        return "\n".join(lines(Compared(filled(5_000, 500), filled(5_000, clicking)), 0.5))

    assert "better: +0.1000" in said(1_000)
    assert "worse: -0.0600" in said(200)
    assert "not told apart: +0.0020" in said(510)
    assert "NDCG@10        too little happened" in said(510)
    assert "WRONG SPLIT" not in said(510)


def test_the_report_warns_of_a_wrong_split() -> None:
    told = "\n".join(lines(Compared(filled(5_000, 500), filled(4_000, 400)), 0.5))
    assert "WRONG SPLIT" in told
