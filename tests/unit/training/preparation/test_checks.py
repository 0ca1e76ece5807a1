"""Rows that cannot be used are written aside with their line; the rest is kept."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headrace.errors import DataInvalid
from headrace.training.preparation import PreparationSettings, file_source, prepare
from tests.unit.training.preparation.files import Prepared

ENOUGH = "".join(f"u,i{n},3,{1_500_000_000 + n}\n" for n in range(3))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",i,3,1500000000", "user_id_empty"),
        ("u,,3,1500000000", "item_id_empty"),
        (f"{'u' * 129},i,3,1500000000", "user_id_too_long"),
        ("u,i,good,1500000000", "rating_not_a_number"),
        ("u,i,inf,1500000000", "rating_not_a_number"),
        ("u,i,5.5,1500000000", "rating_out_of_range"),
        ("u,i,3,noon", "timestamp_unreadable"),
        ("u,i,3,", "timestamp_unreadable"),
        ("u,i,3,1500000000000", "timestamp_out_of_range"),
        ("u,i,3,-5", "timestamp_out_of_range"),
        ("u,i,3", "cells"),
        ("u,i,3,1500000000,more", "cells"),
    ],
)
def test_a_row_that_cannot_be_used_is_written_aside(
    prepared: Prepared, row: str, reason: str
) -> None:
    report = prepared.of(f"user_id,item_id,rating,timestamp\n{ENOUGH}{row}\n")
    assert prepared.refused() == [(5, reason)]
    assert report.refused[0]["rows"] == 1
    assert prepared.histories() == {"u": ["i0", "i1", "i2"]}


def test_lines_are_those_of_the_file_even_behind_cells_with_line_breaks(
    prepared: Prepared,
) -> None:
    prepared.of('user_id,item_id,note\nu,a,"one\ntwo"\n\nu,b,x\nu,,x\nu,c\nu,d,x\n')
    assert prepared.refused() == [(6, "item_id_empty"), (7, "cells")]


def test_ids_keep_commas_and_unicode(prepared: Prepared) -> None:
    prepared.of('user_id,item_id\n"ä,b",雪\n"ä,b","say ""hi"""\n')
    assert prepared.histories() == {"ä,b": ["雪", 'say "hi"']}


@pytest.mark.parametrize("blank", ["", "NaN", "null", " "])
def test_a_missing_rating_is_counted_and_its_event_is_a_click(
    prepared: Prepared, blank: str
) -> None:
    report = prepared.of(f"user_id,item_id,rating\nu,a,4\nu,b,{blank}\n")
    kinds = {row["item_id"]: (row["event_type"], row["rating"]) for row in prepared.rows()}
    assert kinds == {"a": ("rating", 4.0), "b": ("click", None)}
    assert report.missing["rating"] == 1


def test_a_rating_event_needs_its_rating_and_kinds_must_be_known(prepared: Prepared) -> None:
    prepared.of("user_id,item_id,rating,event_type\nu,a,,view\nu,b,,rating\nu,c,,glance\nu,d,2,\n")
    assert prepared.refused() == [(3, "rating_missing"), (4, "event_type_unknown")]
    assert [row["event_type"] for row in prepared.rows()] == ["view", "rating"]


@pytest.mark.parametrize(
    ("first", "second", "form"),
    [
        ("1500000000", "1500000060", "seconds"),
        ("1500000000000", "1500000060000", "milliseconds"),
        ("1500000000000000", "1500000060000000", "microseconds"),
        ("2017-07-14T02:40:00Z", "2017-07-14T04:41:00+02:00", "ISO 8601"),
        ("2017-07-14 02:40", "2017-07-14 02:41", "ISO 8601"),
    ],
)
def test_the_form_of_timestamps_is_found_and_stated(
    prepared: Prepared, first: str, second: str, form: str
) -> None:
    report = prepared.of(f"user_id,item_id,timestamp\nu,b,{second}\nu,a,{first}\n")
    assert report.timestamps == form
    assert [row["timestamp"] for row in prepared.rows()] == [1_500_000_000, 1_500_000_060]
    assert f"read as {form}" in report.markdown()


def test_too_many_unusable_rows_are_an_error_that_names_the_first(
    tmp_path: Path, prepared: Prepared
) -> None:
    text = "user_id,item_id,rating\n" + "u,i,9\n" * 2 + "".join(f"u,i{n},3\n" for n in range(18))
    with pytest.raises(
        DataInvalid, match=r"line 2: column rating: must be from 1 to 5 \(2 such rows\); 2 of 20"
    ):
        prepared.of(text, settings=PreparationSettings())
    prepared.of(text, settings=PreparationSettings(max_refused_share=0.1))
    assert prepared.refused() == [(2, "rating_out_of_range"), (3, "rating_out_of_range")]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty; the first line must name the columns"),
        (b"user_id,item_id\n", "has no rows"),
        (b"item_id\ni\n", "line 1: lacks the column user_id; it has item_id"),
        (b"user_id,item_id,item_id\nu,i,j\n", "line 1: names the column item_id twice"),
        (b"user_id,item_id\nu,\xff\n", "line 2: is not in UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(content)
    with pytest.raises(DataInvalid, match=f"events.csv: {complaint}"):
        prepare(file_source(path), None, tmp_path / "prepared")
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize("name", ["events.csv.gz", "events.parquet"])
def test_a_torn_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x1f\x8b\x08 and then nothing that makes sense")
    with pytest.raises(DataInvalid, match=f"{name}: .*cannot be read"):
        prepare(file_source(path), None, tmp_path / "prepared")


def test_parquet_may_bring_numbers_as_ids_and_datetimes(tmp_path: Path) -> None:
    table = pa.table(
        {
            "user_id": pa.array([1, 1, None], pa.int64()),
            "item_id": pa.array([7.0, 8.0, 9.0]),
            "timestamp": pa.array([60_000, 0, 0], pa.timestamp("ms")),
            "rating": pa.array([None, 2.5, 3.0], pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "e.parquet")
    settings = PreparationSettings(max_refused_share=0.5)
    report = prepare(file_source(tmp_path / "e.parquet"), None, tmp_path / "prepared", settings)
    rows = pq.read_table(tmp_path / "prepared" / "interactions.parquet").to_pylist()
    assert [(row["user_id"], row["item_id"], row["timestamp"]) for row in rows] == [
        ("1", "8", 0.0),
        ("1", "7", 60.0),
    ]
    assert report.timestamps == "datetime"
    assert "e.parquet,3,user_id,user_id_empty" in (tmp_path / "prepared/refused.csv").read_text(
        "utf-8"
    ).replace('"', "")
