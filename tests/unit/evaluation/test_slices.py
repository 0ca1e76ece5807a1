import numpy as np

from headrace.evaluation.protocol import Questions
from headrace.evaluation.slices import slices

# Of 20 events item 0 has 8 and item 1 has 4: together more than half.
COUNTS = np.array([8, 4, 4, 4, 0])
LENGTHS = [3, 10, 20, 30, 100]
ASKED = Questions(
    [np.zeros(length, dtype=np.int64) for length in LENGTHS], np.array([0, 1, 2, 4, 3])
)


def where(name: str) -> list[int]:
    return np.flatnonzero(slices(ASKED, COUNTS)[name]).tolist()


def test_users_are_sliced_by_how_much_they_did() -> None:
    assert where("new users") == [0]
    assert where("heavy users") == [4]


def test_items_fall_into_exactly_one_slice() -> None:
    assert where("popular items") == [0, 1]
    assert where("long tail") == [2, 4]
    assert where("cold items") == [3]


def test_no_questions_have_no_slices() -> None:
    nobody = Questions([], np.zeros(0, dtype=np.int64))
    assert all(len(marks) == 0 for marks in slices(nobody, COUNTS).values())
