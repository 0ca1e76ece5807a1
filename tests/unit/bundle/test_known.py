import numpy as np
import pytest

from headrace.bundle.known import KnownItems, Neighbours
from headrace.bundle.table import ItemTable
from headrace.errors import BundleInvalid

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
    affinity = NEIGHBOURS.affinity(np.array([[3, 2], [1, 3]]), np.array([[1, 2], [2, 1]]))
    assert affinity.shape == (2, 3, 2, 2)
    assert affinity[0, 0].tolist() == [[0, 0.5], [0, 0]]
    assert affinity[0, 1].tolist() == [[0.75, 0.5], [0, 0]]
    assert affinity[1, 1].tolist() == [[0, 0], [0, 0.75]]


def test_items_that_training_never_saw_go_with_nothing() -> None:
    affinity = NEIGHBOURS.affinity(np.array([[0, 2, 0]]), np.array([[0, 1]]))
    assert affinity[0, 0].tolist() == [[0, 0, 0], [0, 0.5, 0]]


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
