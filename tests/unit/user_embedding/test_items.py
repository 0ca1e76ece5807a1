"""Items' vectors: from memory, else from their owner."""

from collections.abc import Sequence

import numpy as np
import pytest

from headrace.errors import Unavailable
from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from services.user_embedding.items import KnownItems


class Owner:
    """Knows ordinals below ten: the vector of each is full of it."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def fetch(self, ordinals: Sequence[int]) -> tuple[Ordinals, Vector]:
        self.asked.append(list(ordinals))
        known = np.array([o for o in ordinals if o < 10], dtype=np.int64)
        return known, np.repeat(known[:, None], 2, axis=1).astype(np.float32)


def test_only_what_is_missing_is_asked_for_and_only_once() -> None:
    owner = Owner()
    items = KnownItems(2, owner.fetch)
    items.put(np.array([1]), np.array([[7, 7]], dtype=np.float32))
    for _ in range(2):
        vectors, known = items.get(np.array([1, 3]))
        assert known.all()
        np.testing.assert_array_equal(vectors, [[7, 7], [3, 3]])
    assert owner.asked == [[3]]


def test_what_nobody_knows_is_zeros() -> None:
    vectors, known = KnownItems(2, Owner().fetch).get(np.array([30, 4]))
    np.testing.assert_array_equal(known, [False, True])
    np.testing.assert_array_equal(vectors, [[0, 0], [4, 4]])


def test_an_owner_that_is_away_makes_the_batch_wait() -> None:
    def away(ordinals: Sequence[int]) -> tuple[Ordinals, Vector]:
        raise Unavailable("item_embedding is away")

    with pytest.raises(Unavailable):
        KnownItems(2, away).get(np.array([1]))
