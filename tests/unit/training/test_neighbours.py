import numpy as np
import pytest

from headrace.bundle.known import LINKS, Neighbours
from headrace.training.log import EventLog
from headrace.training.neighbours import count_neighbours
from tests.unit.bundle.pairs import affinity
from tests.unit.training.logs import log_of

ROWS = np.array([1, 2, 3, 4])  # of the columns 0 to 3


def counted(log: EventLog) -> Neighbours:
    return count_neighbours(log, ROWS, np.ones(len(log.items), dtype=np.bool_), 4)


def strength(found: Neighbours, link: str, before: int, after: int) -> float:
    """Of two columns."""
    pair = affinity(found, ROWS[[after]][None], ROWS[[before]][None])
    return float(pair[0, LINKS.index(link), 0, 0])


def test_what_comes_next_is_counted_by_direction_and_damped() -> None:
    found = counted(log_of([0, 1, 2], [0, 1], [0, 3], items=4))
    assert strength(found, "next", 0, 1) == pytest.approx(2 / (3 + 20))
    assert strength(found, "next", 0, 3) == pytest.approx(1 / (3 + 20))
    assert strength(found, "next", 1, 0) == 0
    # Nobody goes from the end of one history to the beginning of another.
    assert strength(found, "next", 2, 0) == 0


def test_what_comes_later_counts_less() -> None:
    found = counted(log_of([0, 1, 2, 3], items=4))
    strengths = [strength(found, "soon", 0, after) for after in (1, 2, 3)]
    assert strengths == pytest.approx([1 / 21, 1 / 42, 1 / 63])


def test_items_of_the_same_people_go_together_whatever_the_order() -> None:
    histories = [[0, 1], [1, 0], [0, 1], [2, 3], [3, 2]]
    found = counted(log_of(*histories, items=4))
    assert strength(found, "together", 0, 1) > 0.2
    assert strength(found, "together", 1, 0) > 0.2
    assert strength(found, "together", 0, 2) == 0


def test_events_that_are_not_learned_from_are_not_counted() -> None:
    log = log_of([0, 1, 2], items=4)
    found = count_neighbours(log, ROWS, np.array([True, True, False]), 4)
    assert strength(found, "next", 0, 1) > 0
    assert strength(found, "next", 1, 2) == 0
