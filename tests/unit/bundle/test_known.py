import numpy as np
import pytest

from headrace.bundle.known import LINKS, KnownItems, Neighbours
from headrace.bundle.table import ItemTable
from headrace.errors import BundleInvalid
from tests.unit.bundle.pairs import affinity

# Three items. After the first comes the second, soon the third; the others have no neighbours.
ROWS = np.array(
    [
        [[0, 0], [2, 0], [0, 0], [0, 0]],
        [[0, 0], [2, 3], [0, 0], [0, 0]],
        [[0, 0], [0, 0], [0, 0], [0, 0]],
    ]
)
STRENGTHS = np.where(ROWS > 0, ROWS / 4, 0).astype(np.float32)
NEIGHBOURS = Neighbours(ROWS.astype(np.int32), STRENGTHS)


def test_affinity_is_that_of_each_recent_item_to_each_candidate() -> None:
    found = affinity(NEIGHBOURS, [[3, 2], [1, 3]], [[1, 2], [2, 1]])
    assert found[0, 0].tolist() == [[0, 0.5], [0, 0]]
    assert found[0, 1].tolist() == [[0.75, 0.5], [0, 0]]
    assert found[1, 1].tolist() == [[0, 0], [0, 0.75]]
    assert not found[:, 2].any()


def test_pairs_are_what_looking_at_each_neighbour_finds() -> None:
    random = np.random.default_rng(1)
    rows = np.stack([[random.permutation(30)[:5] for _ in range(30)] for _ in LINKS])
    neighbours = Neighbours(rows.astype(np.int32), random.random(rows.shape, dtype=np.float32))
    candidates = np.stack([random.permutation(30)[:12] for _ in range(7)])
    recent = random.integers(0, 30, (7, 9))
    expected = np.zeros((7, len(LINKS), 9, 12), dtype=np.float32)
    for person, link, one, place in np.ndindex(expected.shape):
        item = candidates[person, place]
        found = np.flatnonzero(rows[link, recent[person, one]] == item)
        if item and len(found):
            expected[person, link, one, place] = neighbours.strengths[
                link, recent[person, one], found[0]
            ]
    assert np.array_equal(affinity(neighbours, candidates, recent), expected)


def test_items_that_training_never_saw_go_with_nothing() -> None:
    found = affinity(NEIGHBOURS, [[0, 2, 0]], [[0, 1]])
    assert found[0, 0].tolist() == [[0, 0, 0], [0, 0.5, 0]]


def test_nobody_and_nothing_touched_make_no_pairs() -> None:
    nobody = NEIGHBOURS.pairs(np.zeros((0, 2), dtype=np.int64), np.zeros((0, 3), dtype=np.int64))
    untouched = NEIGHBOURS.pairs(np.array([[1, 2]]), np.zeros((1, 0), dtype=np.int64))
    assert len(nobody.strengths) == len(untouched.strengths) == 0


def test_an_unknown_item_has_no_rating() -> None:
    table = ItemTable(
        np.array(["a", "b", "c"]), np.array([3, 2, 1]), np.array([0.5, -1, 0], dtype=np.float32)
    )
    known = KnownItems(table, NEIGHBOURS)
    rows = known.rows(["b", "new", "a"])[None]
    assert known.counted(rows, rows).ratings.tolist() == [[-1, 0, 0.5]]


def test_what_is_kept_in_a_file_is_what_is_read() -> None:
    read = Neighbours.from_arrays(NEIGHBOURS.arrays(), 3)
    assert read.rows.tolist() == ROWS.tolist()
    np.testing.assert_allclose(read.strengths, STRENGTHS, rtol=1e-3)


def test_neighbours_of_another_table_are_refused() -> None:
    with pytest.raises(BundleInvalid, match="are not those of 4 items"):
        Neighbours.from_arrays(NEIGHBOURS.arrays(), 4)
    arrays = NEIGHBOURS.arrays() | {"rows": ROWS + 2}
    with pytest.raises(BundleInvalid, match="beyond the 3 items"):
        Neighbours.from_arrays(arrays, 3)
    with pytest.raises(BundleInvalid, match="must be rows, strengths"):
        Neighbours.from_arrays({"rows": ROWS}, 3)
