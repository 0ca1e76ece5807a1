"""The column `picture`: what becomes of its files."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from headrace.errors import DataInvalid
from headrace.pictures.pixels import SHAPE
from headrace.pictures.reading import Flaw, read_picture
from headrace.training.data import read_log
from headrace.training.preparation.reasons import PICTURE_FLAWS
from tests.pictures import BLUE, RED, bomb, drawn, encoded
from tests.unit.training.preparation.files import Prepared

EVENTS = "user_id,item_id\nu,1\nu,2\nu,3\n"


def put(prepared: Prepared, name: str, content: bytes) -> None:
    path = prepared.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def same(one: object, other: object) -> bool:
    return (
        isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and np.array_equal(one, other)
    )


def test_pictures_come_back_beside_the_items_they_belong_to(prepared: Prepared) -> None:
    put(prepared, "shots/red.png", encoded(drawn(RED, "disc")))
    put(prepared, "blue.jpg", encoded(drawn(BLUE, "cross"), "JPEG"))
    absolute = prepared.folder / "blue.jpg"
    report = prepared.of(
        EVENTS,
        f"item_id,picture\n9,shots/red.png\n,blue.jpg\n9,blue.jpg\n1,\n2, {absolute} \n",
    )
    log = read_log(prepared.out)
    items = {item.item_id: item for item in log.catalogue}
    assert list(items) == ["9", "1", "2", "3"]
    red = read_picture(prepared.folder / "shots/red.png")
    assert same(items["9"].picture, red)
    assert same(items["2"].picture, read_picture(absolute))
    assert items["1"].picture is None
    assert items["3"].picture is None
    assert log.pictures is not None
    assert log.pictures.shape == (4, *SHAPE)
    assert same(log.pictures[0], red)
    assert not log.pictures[[1, 3]].any()
    assert report.items["with_picture"] == 2
    assert report.items["columns"] == []


def test_an_item_stays_without_a_picture_that_cannot_be_read(prepared: Prepared) -> None:
    put(prepared, "good.png", encoded(drawn(RED, "disc")))
    put(prepared, "half.png", encoded(drawn(RED, "disc"))[:300])
    put(prepared, "bomb.png", bomb())
    put(prepared, "text.png", b"no picture")
    rows = "".join(f"{n},{n}.png\n".replace("1.png", "half.png") for n in (1, 2))
    report = prepared.of(
        EVENTS, f"item_id,picture\n{rows}3,bomb.png\n4,text.png\n5,good.png\n6,n/a\n"
    )
    assert prepared.refused() == [
        (2, "picture_broken"),
        (3, "picture_missing"),
        (4, "picture_too_large"),
        (5, "picture_other_format"),
    ]
    rows_of = pq.read_table(prepared.out / "items.parquet").to_pylist()
    assert [row["picture"] for row in rows_of] == [False, False, False, False, True, False]
    assert report.items["with_picture"] == 1
    assert "3 events, 0 rows left out" in report.line()
    page = report.markdown()
    assert "picture_missing | names no file that can be read | the cell | 1 |" in page
    assert "described with a picture | 1 |" in page


def test_bad_pictures_are_no_reason_to_refuse_a_file(prepared: Prepared) -> None:
    rows = "".join(f"{n},nowhere.png\n" for n in range(50))
    report = prepared.of(EVENTS, f"item_id,picture\n{rows}")
    (reason,) = report.refused
    assert (reason["reason"], reason["rows"], reason["kept"]) == ("picture_missing", 50, True)


def test_without_a_single_picture_nothing_is_different(prepared: Prepared) -> None:
    prepared.of(EVENTS, "item_id,title\n1,a\n2,b\n")
    before = (prepared.out / "items.parquet").read_bytes()
    prepared.of(EVENTS, "item_id,title,picture\n1,a,\n2,b,nowhere.png\n")
    assert (prepared.out / "items.parquet").read_bytes() == before
    assert not (prepared.out / "pictures.bin").exists()
    assert read_log(prepared.out).pictures is None


def test_a_folder_that_lost_its_pictures_is_refused(prepared: Prepared) -> None:
    put(prepared, "a.png", encoded(drawn(RED, "disc")))
    prepared.of(EVENTS, "item_id,picture\n1,a.png\n")
    pictures = prepared.out / "pictures.bin"
    pictures.write_bytes(pictures.read_bytes()[:-1])
    with pytest.raises(DataInvalid, match=r"pictures.bin: has 9,215 bytes; 3 items of 3,072"):
        read_log(prepared.out)
    pictures.unlink()
    with pytest.raises(DataInvalid, match=r"pictures.bin: is missing"):
        read_log(prepared.out)


def test_every_flaw_has_a_reason() -> None:
    assert PICTURE_FLAWS.keys() == set(Flaw)
