"""What is made of the columns of items."""

import numpy as np
import pyarrow.parquet as pq

from headrace.training.preparation.scale import robust_scale
from tests.unit.training.preparation.files import Prepared

EVENTS = "user_id,item_id\nu,1\nu,2\nu,3\n"


def catalogue(prepared: Prepared) -> dict[str, dict[str, object]]:
    rows = pq.read_table(prepared.out / "items.parquet").to_pylist()
    return {row["item_id"]: row | {"attributes": dict(row["attributes"])} for row in rows}


def test_numbers_and_dates_become_attributes_and_text_is_not_used(prepared: Prepared) -> None:
    report = prepared.of(
        EVENTS,
        "item_id,price,released,colour\n1,9.5,2000-01-01,red\n2,,1999-07-02,blue\n3,7,,1\n",
    )
    first, second = (catalogue(prepared)[name]["attributes"] for name in ("1", "2"))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["price"] == 9.5
    assert abs(first["released_year"] - 2000) < 0.01
    assert abs(second["released_year"] - 1999.5) < 0.01
    assert "price" not in second
    fates = {column["column"]: column["taken_as"] for column in report.items["columns"]}
    assert fates["colour"] == "neither numbers nor dates, not used"
    assert fates["released"] == "date, as a year with a fraction"


def test_a_few_odd_cells_do_not_cost_a_column_of_numbers(prepared: Prepared) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(39))
    report = prepared.of(EVENTS, f"item_id,price\n{rows}x,ask\n")
    (column,) = report.items["columns"]
    assert column["taken_as"] == "number; 1 odd cells"
    assert column["missing"] == 1
    assert catalogue(prepared)["x"]["attributes"] == {}


def test_an_item_twice_is_written_aside(prepared: Prepared) -> None:
    prepared.of(EVENTS, "item_id,title\n1,first\n1,second\n")
    assert catalogue(prepared)["1"]["title"] == "first"
    assert prepared.refused() == [(3, "item_id_twice")]


def test_half_of_the_items_without_a_description_are_told_and_kept(prepared: Prepared) -> None:
    report = prepared.of(EVENTS, "item_id,title\n9,never touched\n1,known\n")
    assert list(catalogue(prepared))[:2] == ["9", "1"]
    assert set(catalogue(prepared)) == {"9", "1", "2", "3"}
    assert report.items["touched_without_description"] == 2
    assert report.items["described_without_events"] == 1
    assert "placed by their id alone | 2 |" in report.markdown()


def test_lists_name_each_part_once(prepared: Prepared) -> None:
    prepared.of(EVENTS, "item_id,genres,tags\n1,War| Drama |War|,\n")
    assert catalogue(prepared)["1"]["categories"] == ["War", "Drama"]
    assert catalogue(prepared)["1"]["tags"] == []


def test_a_scale_is_not_moved_by_a_few_wrong_numbers() -> None:
    values = np.linspace(0, 100, 1001)
    centre, scale = robust_scale(values)
    wrong_centre, wrong_scale = robust_scale(np.append(values, [1e9] * 10))
    assert abs(centre - wrong_centre) < 1
    assert abs(scale - wrong_scale) < 1
    assert robust_scale(np.full(3, 7.0)) == (7.0, 1.0)
