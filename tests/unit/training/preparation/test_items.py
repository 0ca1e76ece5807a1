"""What is made of the columns of items."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headrace.training.data import read_log
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


def test_embeddings_are_read_from_text_and_kept_as_numbers(prepared: Prepared) -> None:
    report = prepared.of(EVENTS, 'item_id,embedding\n1,"[0.5, -1]"\n2,\n3,2 3e-1\n')
    assert catalogue(prepared)["1"]["embedding"] == [0.5, -1.0]
    assert catalogue(prepared)["2"]["embedding"] is None
    assert catalogue(prepared)["3"]["embedding"] == [2.0, np.float32(0.3)]
    assert report.items["with_embedding"] == 2
    assert report.items["embedding_width"] == 2
    assert report.items["columns"] == []


def test_embeddings_that_cannot_be_used_are_written_aside(prepared: Prepared) -> None:
    cells = ('"[1, 2]"', '"[1, 2, 3]"', '"[1, nan]"', "[a]", '"[1, 1e99]"', "[]")
    rows = "".join(f"{number},{cell}\n" for number, cell in enumerate(cells))
    prepared.of(EVENTS, f"item_id,embedding\n{rows}")
    assert prepared.refused() == [
        (3, "embedding_width"),
        *((line, "embedding_unreadable") for line in (4, 5, 6, 7)),
    ]


def test_embeddings_come_back_from_parquet_lists(tmp_path: Path) -> None:
    column = pa.array([[0.25, 4.0], None], pa.list_(pa.float64()))
    pq.write_table(pa.table({"item_id": ["b", "a"], "embedding": column}), tmp_path / "i.parquet")
    (tmp_path / "events.csv").write_text("user_id,item_id\nu,a\nu,b\nu,c\n")
    log = read_log(tmp_path / "events.csv", tmp_path / "i.parquet")
    known, unknown, undescribed = log.catalogue
    assert known.embedding is not None
    np.testing.assert_array_equal(known.embedding, np.array([0.25, 4.0], dtype=np.float32))
    assert unknown.embedding is None
    assert undescribed.embedding is None
