"""What is held out, and that the name of a split depends on nothing else."""

import numpy as np
import pytest

from headrace.errors import DataInvalid
from headrace.training.preparation import PreparationSettings, SplitKind
from headrace.training.preparation.splits import (
    TEST,
    VALIDATION,
    SplitDigest,
    cold_items,
    last_two,
    newest_fifth,
    without_cold,
)
from tests.unit.training.preparation.files import Prepared


def test_leave_one_out_takes_the_last_two_of_who_has_three() -> None:
    assert last_two(np.array([4, 2, 3])).tolist() == [0, 0, 1, 2, 0, 0, 0, 1, 2]


def test_the_newest_fifth_is_the_test_and_the_tenth_before_it_validation() -> None:
    assert newest_fifth(np.array([10])).tolist() == [0] * 7 + [1] + [2] * 2
    assert newest_fifth(np.array([4])).tolist() == [0, 0, 0, 1]


def test_a_split_by_time_cuts_everybody_at_the_same_moments(prepared: Prepared) -> None:
    rows = "".join(f"u{n % 3},i{n:02},{n * 3600}\n" for n in range(20))
    report = prepared.of(
        f"user_id,item_id,timestamp\n{rows}", settings=PreparationSettings(split="time")
    )
    parts = prepared.parts()
    assert [parts[f"i{n:02}"] for n in range(20)] == (
        ["train"] * 16 + ["validation"] * 2 + ["test"] * 2
    )
    assert report.outcome is not None
    assert report.outcome.parts == {"train": 16, "validation": 2, "test": 2}


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("user_id,item_id,position", "needs column timestamp"),
        ("user_id,item_id,timestamp", "equal"),
    ],
)
def test_a_split_by_time_needs_times(prepared: Prepared, header: str, complaint: str) -> None:
    with pytest.raises(DataInvalid, match=complaint):
        prepared.of(f"{header}\nu,a,5\nu,b,5\n", settings=PreparationSettings(split="time"))


def test_cold_items_are_the_test_and_the_last_of_the_others_is_validation() -> None:
    cold = np.array([False, True, False, False, False, True, False, False])
    parts = without_cold(np.array([5, 3]), cold)
    assert parts.tolist() == [0, 2, 0, 0, 1, 2, 0, 0]


def test_a_fifth_of_the_items_is_cold_whatever_their_order() -> None:
    ids = [f"item-{n}" for n in range(50)]
    cold = {name for name, marked in zip(ids, cold_items(ids, seed=1), strict=True) if marked}
    backwards = cold_items(ids[::-1], seed=1)
    assert len(cold) == 10
    assert cold == {name for name, marked in zip(ids[::-1], backwards, strict=True) if marked}
    assert cold != {ids[row] for row in np.flatnonzero(cold_items(ids, seed=2))}


@pytest.mark.parametrize("kind", ["leave-one-out", "newest-fifth", "time", "cold-items", "none"])
def test_the_split_does_not_depend_on_the_order_of_people(
    prepared: Prepared, kind: SplitKind
) -> None:
    rows = [f"u{n % 13},i{n % 17},{n}" for n in range(200)]
    by_person = sorted(rows, key=lambda row: (row.split(",")[0], int(row.split(",")[2])))
    names, contents = set(), []
    for order in (rows, by_person, by_person[::-1]):
        text = "user_id,item_id,timestamp\n" + "\n".join(order) + "\n"
        report = prepared.of(text, settings=PreparationSettings(split=kind))
        assert report.outcome is not None
        names.add(report.outcome.split_sha256)
        contents.append(prepared.rows())
    assert len(names) == 1
    assert contents[0] == contents[1] == contents[2]


def test_a_split_is_named_by_who_what_and_part() -> None:
    names = set()
    for part, user, item in (
        (TEST, "u", "i"),
        (VALIDATION, "u", "i"),
        (TEST, "v", "i"),
        (TEST, "u", "j"),
    ):
        digest = SplitDigest()
        digest.add(part, [user], [item])
        names.add(digest.hexdigest())
    assert len(names) == 4
