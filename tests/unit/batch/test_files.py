"""What is in a file of lists."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from headrace.api.ranker.v1.ranker_pb2 import SOURCE_POPULAR, SOURCE_RETRIEVAL
from headrace.batch.files import sha256, write_lists
from headrace.batch.items import ItemArrays
from headrace.batch.lists import Lists
from headrace.batch.people import People
from headrace.bundle import Bundle
from headrace.index.vector_index import ABSENT
from tests.unit.batch.test_lists import crowd, stored


@pytest.fixture
def items(toy_bundle: Path) -> ItemArrays:
    bundle = Bundle.load(str(toy_bundle), ["ranker", "item"])
    first, second, *others = stored(bundle)
    foreign = replace(second, content=replace(second.content, item_id="größe 二"))
    return ItemArrays(bundle, [first, foreign, *others])


@pytest.fixture
def people(toy_bundle: Path) -> People:
    some = crowd(Bundle.load(str(toy_bundle), ["ranker"])).only(slice(3))
    names = np.array(["", "Zoë", "p2"], dtype=np.object_)
    return replace(some, user_ids=names, n=np.array([0, 7, 1]))


LISTS = Lists(
    np.array([[1, 0], [3, ABSENT], [ABSENT, ABSENT]]),
    np.array([[2, 0.5], [0.25, -np.inf], [-np.inf, -np.inf]], dtype=np.float32),
    np.array([[SOURCE_POPULAR] * 2, [SOURCE_RETRIEVAL] * 2, [0, 0]], dtype=np.uint8),
)
ROWS = [
    ("", 1, "größe 二", 2.0, "popular", False),
    ("", 2, "item-0", 0.5, "popular", False),
    ("Zoë", 1, "item-3", 0.25, "retrieval", True),
]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_row_is_a_place_and_short_lists_have_fewer(
    items: ItemArrays, people: People, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"part.{suffix}"
    assert write_lists(path, people, LISTS, items) == (len(ROWS), sha256(path))
    table = pq.read_table(path) if suffix == "parquet" else pyarrow.csv.read_csv(path)
    columns = [table[name].to_pylist() for name in table.column_names]
    assert list(zip(*columns, strict=True)) == ROWS
    assert table.column_names == ["user_id", "position", "item_id", "score", "source", "personal"]


def test_lists_of_nobody_are_a_file_without_rows(
    items: ItemArrays, people: People, tmp_path: Path
) -> None:
    nobody = people.only(slice(0))
    none = Lists(LISTS.rows[:0], LISTS.scores[:0], LISTS.sources[:0])
    path = tmp_path / "part.parquet"
    assert write_lists(path, nobody, none, items)[0] == 0
    assert pq.read_table(path).schema.field("user_id").type == "string"
