"""Duplicates, order, outliers and the k-core."""

import numpy as np
import pytest

from headrace.errors import DataInvalid
from headrace.training.data import read_log
from headrace.training.preparation import PreparationSettings
from headrace.training.preparation.outliers import limit_of
from headrace.training.preparation.output import is_ordered
from tests.unit.training.preparation.files import Prepared


def test_rows_that_say_the_same_count_once(prepared: Prepared) -> None:
    prepared.of("user_id,item_id,timestamp\nu,a,10\nu,b,20\nu,a,10\nu,a,30\nu,a,10\n")
    assert prepared.histories() == {"u": ["a", "b", "a"]}
    assert prepared.refused() == [(4, "duplicate"), (6, "duplicate")]


def test_of_two_ratings_at_one_moment_the_later_row_holds(prepared: Prepared) -> None:
    prepared.of("user_id,item_id,rating,timestamp\nu,a,1,10\nu,b,3,10\nu,a,5,10\n")
    assert [(row["item_id"], row["rating"]) for row in prepared.rows()] == [("b", 3), ("a", 5)]
    assert prepared.refused() == [(2, "same_user_item_time")]


def test_two_kinds_of_event_at_one_moment_are_two_events(prepared: Prepared) -> None:
    prepared.of("user_id,item_id,timestamp,event_type\nu,a,10,view\nu,a,10,cart\n")
    assert [row["event_type"] for row in prepared.rows()] == ["view", "cart"]


def test_ties_in_time_are_ordered_by_position_and_then_as_in_the_file(prepared: Prepared) -> None:
    prepared.of("user_id,item_id,timestamp,position\nu,c,10,2\nu,b,10,1\nu,a,9,7\nu,d,10,2\n")
    assert prepared.histories() == {"u": ["a", "b", "c", "d"]}


def test_the_k_core_is_taken_until_nothing_more_goes(prepared: Prepared) -> None:
    # Without w's event item c is too rare, without c user v has too few.
    rows = "u,a\nu,b\nx,a\nx,b\nv,a\nv,c\nw,c\n"
    settings = PreparationSettings(min_user_events=2, min_item_events=2)
    report = prepared.of(f"user_id,item_id\n{rows}", settings=settings)
    assert prepared.histories() == {"u": ["a", "b"], "x": ["a", "b"]}
    assert prepared.refused() == [(line, "k_core") for line in (6, 7, 8)]
    assert report.k_core is not None
    assert (report.k_core.users, report.k_core.items) == (2, 1)


def test_a_k_core_of_nobody_is_an_error(prepared: Prepared) -> None:
    with pytest.raises(DataInvalid, match=r"events.csv: nothing is left of 2 rows"):
        prepared.of("user_id,item_id\nu,a\nv,a\n", settings=PreparationSettings(min_user_events=2))


def people(count: int = 20, events: int = 30) -> str:
    rows = (f"u{u},i{n},{86_400 * (n // 10) + n}" for u in range(count) for n in range(events))
    return "user_id,item_id,timestamp\n" + "\n".join(rows) + "\n"


def test_who_does_thousands_of_things_a_day_is_no_person(prepared: Prepared) -> None:
    robot = "".join(f"robot,i{n % 40},{n}\n" for n in range(5_000))
    report = prepared.of(people() + robot)
    assert "robot" not in prepared.histories()
    assert len(prepared.histories()) == 20
    assert report.refused[0] | {"file": ""} == {
        "file": "",
        "reason": "user_rate",
        "rows": 5_000,
        "phrase": "does more a day than a person can",
        "kept": False,
    }


def test_outliers_are_kept_when_asked_for(prepared: Prepared) -> None:
    robot = "".join(f"robot,i{n % 40},{n}\n" for n in range(5_000))
    prepared.of(people() + robot, settings=PreparationSettings(drop_outliers=False))
    assert len(prepared.histories()["robot"]) == 5_000


def test_a_person_with_100_000_events_over_years_is_kept_whole(prepared: Prepared) -> None:
    faithful = "".join(f"faithful,i{n % 997},{n * 1000}\n" for n in range(100_000))
    report = prepared.of(people() + faithful)
    assert report.refused == []
    assert report.outcome is not None
    assert report.outcome.longest_history == 100_000


def test_an_item_that_one_person_pushes_goes_and_a_popular_one_stays(prepared: Prepared) -> None:
    everybody = "".join(f"p{n},hit,{n}\n" for n in range(3_000))
    pushed = "".join(f"u1,pushed,{n * 500}\n" for n in range(3_000))
    prepared.of(people() + everybody + pushed)
    items = {item for history in prepared.histories().values() for item in history}
    assert "hit" in items
    assert "pushed" not in items
    assert set(prepared.refused()) == {
        (line, "item_rate") for line in range(602 + 3_000, 602 + 6_000)
    }


def test_the_limit_of_rates_is_not_moved_by_outliers() -> None:
    rates = np.geomspace(30, 300, 101)
    _, limit = limit_of(rates)
    _, limit_with = limit_of(np.append(rates, [1e6] * 3))
    assert limit < limit_with < 1.5 * limit
    assert limit_of(np.full(10, 5.0))[1] == 1000


@pytest.mark.parametrize("rows", ["u,a\nu,b\nu,c\n", "u,a\nv,a\nw,a\n", "u,a\n"])
def test_one_person_or_one_item_is_a_clean_result(prepared: Prepared, rows: str) -> None:
    report = prepared.of(f"user_id,item_id\n{rows}")
    assert report.outcome is not None
    assert report.outcome.interactions == rows.count("\n")
    assert prepared.refused() == []


@pytest.mark.parametrize(("column", "ordered"), [("", False), (",position", True)])
def test_histories_without_times_and_positions_have_no_order(
    prepared: Prepared, column: str, *, ordered: bool
) -> None:
    cell = ",1" if column else ""
    prepared.of(f"user_id,item_id{column}\nu,a{cell}\nu,b{cell}\n")
    assert is_ordered(prepared.out / "interactions.parquet") is ordered
    assert read_log(prepared.out / "interactions.parquet").ordered is ordered
