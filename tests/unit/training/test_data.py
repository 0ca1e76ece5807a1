from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headrace.errors import DataInvalid
from headrace.training.data import prepared_files, read_log
from headrace.training.log import EventLog
from headrace.training.preparation import PreparationSettings, SplitKind, file_source, prepare
from headrace.training.split import split


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def histories(log: EventLog) -> dict[str, list[str]]:
    """Item ids of each person, in order."""
    return {
        str(name): [log.catalogue[i].item_id for i in log.history(start, end)]
        for name, start, end in zip(log.user_ids, log.offsets, log.offsets[1:], strict=False)
    }


def test_events_are_put_in_time_order_and_ties_keep_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "events.csv",
        "user_id,item_id,timestamp\nb,late,30\na,z,20\na,y,10\nb,tie2,5\nb,tie1,5\n",
    )
    log = read_log(path)
    assert histories(log) == {"b": ["tie2", "tie1", "late"], "a": ["y", "z"]}
    assert sorted(log.gap_s.tolist()) == [0, 0, 0, 10, 25]


@pytest.mark.parametrize(
    "times",
    [
        ("86400", "86460"),
        ("1500000086400", "1500000146400"),
        ("1970-01-02", "1970-01-02T00:01:00Z"),
    ],
)
def test_times_may_be_seconds_milliseconds_or_iso(tmp_path: Path, times: tuple[str, str]) -> None:
    rows = "".join(f"u,i{n},{time}\n" for n, time in enumerate(times))
    log = read_log(written(tmp_path, "events.csv", "user_id,item_id,timestamp\n" + rows))
    assert log.gap_s.tolist() == [0, 60]


def test_positions_order_events_and_give_no_gaps(tmp_path: Path) -> None:
    path = written(tmp_path, "e.csv", "user_id,item_id,position\nu,b,1\nu,c,10\nu,a,0\n")
    log = read_log(path)
    assert [log.catalogue[i].item_id for i in log.items] == ["a", "b", "c"]
    assert log.gap_s.tolist() == [0, 0, 0]


def test_ids_may_be_anything_that_can_be_written(tmp_path: Path) -> None:
    path = written(tmp_path, "e.csv", 'user_id,item_id\n"a,b",été\nNA,007\n')
    log = read_log(path)
    assert histories(log) == {"a,b": ["été"], "NA": ["007"]}


def test_parquet_and_packed_csv_are_read_alike(tmp_path: Path) -> None:
    table = pd.DataFrame({"user_id": [1, 1], "item_id": [7, 8], "rating": [4.0, 2.5]})
    table.to_parquet(tmp_path / "e.parquet")
    table.to_csv(tmp_path / "e.csv.gz", index=False)
    a, b = read_log(tmp_path / "e.parquet"), read_log(tmp_path / "e.csv.gz")
    assert list(a.user_ids) == list(b.user_ids) == ["1"]
    assert a.catalogue == b.catalogue
    np.testing.assert_array_equal(a.ratings, b.ratings)


def test_the_kind_of_an_event_is_told_or_follows_from_ratings(tmp_path: Path) -> None:
    told = read_log(written(tmp_path, "a.csv", "user_id,item_id,event_type\nu,i,cart\nu,j,View\n"))
    rated = read_log(written(tmp_path, "b.csv", "user_id,item_id,rating\nu,i,5\n"))
    neither = read_log(written(tmp_path, "c.csv", "user_id,item_id\nu,i\n"))
    assert told.kinds.tolist() == [3, 1]
    assert rated.kinds.tolist() == [7]
    assert neither.kinds.tolist() == [2]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty; the first line must name the columns"),
        ("user_id,item_id\n", "has no rows"),
        ("user,item_id\nu,i\n", "line 1: lacks the column user_id; it has user, item_id"),
        ("user_id,item_id\nu,i\nu,\n", "line 3: column item_id: is empty"),
        ("user_id,item_id,rating\nu,i,5\nu,j,good\n", "line 3: column rating: is not a number"),
        ("user_id,item_id,rating\nu,i,9\nu,j,0\n", "line 2: column rating: must be .*2 such rows"),
        ("user_id,item_id,timestamp\nu,i,noon\n", "line 2: column timestamp: is neither"),
        ("user_id,item_id,position\nu,i,\n", "line 2: column position: is empty"),
        ("user_id,item_id,event_type\nu,i,glance\n", "line 2: column event_type: is unknown"),
    ],
)
def test_bad_files_are_refused_with_the_place(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, "events.csv", text)
    with pytest.raises(DataInvalid, match=f"events.csv: {complaint}"):
        read_log(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="no such file"):
        read_log(tmp_path / "events.csv")


def test_items_bring_lists_and_numbers(tmp_path: Path) -> None:
    events = written(tmp_path, "e.csv", "user_id,item_id\nu,1\n")
    path = written(
        tmp_path,
        "items.csv",
        "item_id,title,year,genres,tags,colour\n1,Toy,1995,Comedy| Family |,new,red\n2,,,,,\n",
    )
    toy, bare = read_log(events, path).catalogue
    assert toy.title == "Toy"
    assert toy.categories == ("Comedy", "Family")
    assert toy.tags == ("new",)
    assert toy.attributes == {"year": 1995.0}
    assert bare.attributes == {}


def test_items_that_the_file_lacks_are_in_the_catalogue_all_the_same(tmp_path: Path) -> None:
    events = written(tmp_path, "e.csv", "user_id,item_id\nu,1\nu,2\n")
    items = written(tmp_path, "i.csv", "item_id,title\n3,Never touched\n1,Known\n")
    assert [item.item_id for item in read_log(events, items).catalogue] == ["3", "1", "2"]


def test_the_order_of_rows_does_not_matter_as_long_as_it_keeps_that_of_each_person(
    tmp_path: Path,
) -> None:
    rows = [f"u{user},i{user + step}" for step in range(4) for user in range(40)]
    by_person = sorted(rows, key=lambda row: row.split(",")[0])
    logs = [
        read_log(written(tmp_path, name, "user_id,item_id\n" + "\n".join(order)))
        for name, order in (("a.csv", rows), ("b.csv", by_person), ("c.csv", by_person))
    ]
    first, *others = logs
    for other in others:
        assert list(first.user_ids) == list(other.user_ids)
        assert first.catalogue == other.catalogue
        np.testing.assert_array_equal(first.items, other.items)
    assert len({split(log, "leave-one-out").digest for log in logs}) == 1


def test_what_is_left_out_for_once_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "".join(f"u,i{n}\n" for n in range(30))
    read_log(written(tmp_path, "e.csv", f"user_id,item_id\n{rows}u,\nu,i1\n"))
    assert "e.csv: left out 1 rows: item_id_empty" in caplog.text
    assert "e.csv: left out 1 rows: duplicate" in caplog.text


def test_prepared_files_are_read_as_they_are(tmp_path: Path) -> None:
    raw = written(tmp_path, "e.csv", "user_id,item_id\nu,a\nu,b\nu,c\n")
    prepare(file_source(raw), None, tmp_path / "prepared")
    log = read_log(tmp_path / "prepared" / "interactions.parquet")
    assert histories(log) == {"u": ["a", "b", "c"]}
    items = written(tmp_path, "items.csv", "item_id\na\n")
    with pytest.raises(DataInvalid, match=r"items.csv: is not prepared"):
        read_log(tmp_path / "prepared" / "interactions.parquet", items)


def test_cold_items_come_last_in_a_history_and_are_not_learned_from(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 7},i{n % 10},{60 * n}\n" for n in range(70))
    raw = written(tmp_path, "e.csv", "user_id,item_id,timestamp\n" + rows)
    settings = PreparationSettings(split="cold-items")
    report = prepare(file_source(raw), None, tmp_path / "prepared", settings)
    log = read_log(tmp_path / "prepared" / "interactions.parquet")
    parts = split(log, "prepared")
    learned = set(log.items[parts.training_events(log)])
    validated = set(log.items[parts.validation.positions])
    asked = set(log.items[parts.test.positions])
    assert len(asked) == 2
    assert not (learned | validated) & asked
    assert len(learned) == 8
    assert (log.gap_s >= 0).all()
    assert report.outcome is not None
    assert parts.digest == report.outcome.split_sha256


def test_a_prepared_folder_brings_its_own_holdout(tmp_path: Path) -> None:
    raw = written(tmp_path, "e.csv", "user_id,item_id,timestamp\nu,a,1\nu,b,2\nu,c,3\n")
    cases: list[tuple[SplitKind, str]] = [("leave-one-out", "leave-one-out"), ("time", "prepared")]
    for kind, holdout in cases:
        settings = PreparationSettings(split=kind)
        report = prepare(file_source(raw), None, tmp_path / "prepared", settings)
        interactions, items, found = prepared_files(tmp_path / "prepared")
        assert found == holdout
        assert report.outcome is not None
        digest = split(read_log(interactions, items), found).digest
        assert digest == report.outcome.split_sha256
    with pytest.raises(DataInvalid, match="holds no prepared data"):
        prepared_files(tmp_path)
