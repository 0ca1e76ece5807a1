"""The layers of an index while a new base is being built."""

import threading

import numpy as np
import pytest

from headrace.index.base import Base
from headrace.index.flat import flat_base
from headrace.index.layered import LayeredIndex
from headrace.index.rows import Rows
from headrace.index.vector_index import IndexSizes

WIDTH = 4


def ones(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.ones((count, WIDTH), dtype=np.float32)


class HeldBack:
    """Builds the empty base at once, and the next one when it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, rows: Rows) -> Base:
        if len(rows):
            self.go.wait(timeout=30)
        return flat_base(rows)


def test_what_is_written_while_a_base_is_built_is_not_lost() -> None:
    build = HeldBack()
    index = LayeredIndex(WIDTH, build, rebuild_rows=8)
    index.upsert(np.arange(10), ones(10))  # starts to build a base of these
    index.remove(np.array([0, 1]))
    index.upsert(np.array([2, 50]), 5 * ones(2))
    index.remove(np.array([3]))
    index.upsert(np.array([3]), 7 * ones(1))
    before = index.search(ones(1), 20)
    build.go.set()
    index.close()
    assert index.sizes() == IndexSizes(base=10, delta=3, tombstones=4)
    after = index.search(ones(1), 20)
    assert after.ordinals[0, :3].tolist() == before.ordinals[0, :3].tolist() == [3, 2, 50]
    assert set(after.ordinals[0].tolist()) == {-1, 2, 3, 4, 5, 6, 7, 8, 9, 50}
    np.testing.assert_array_equal(after.scores, before.scores)


def test_a_base_that_cannot_be_built_ends_the_next_write() -> None:
    def build(rows: Rows) -> Base:
        if len(rows):
            raise MemoryError("no room")
        return flat_base(rows)

    index = LayeredIndex(WIDTH, build, rebuild_rows=8)
    index.upsert(np.arange(10), ones(10))
    index.close()
    with pytest.raises(MemoryError, match="no room"):
        index.remove(np.array([1]))
    assert len(index) == 10


def test_vectors_of_another_width_are_refused() -> None:
    index = LayeredIndex(WIDTH, flat_base)
    with pytest.raises(ValueError, match="not 2 vectors of 4"):
        index.upsert(np.arange(2), ones(3))
