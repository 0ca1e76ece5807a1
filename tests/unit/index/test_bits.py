import numpy as np
import pytest
from pyroaring import BitMap

from headrace.index.bits import dense_bits

LISTS = BitMap([0, 5, 65_535, 65_536, 200_000])
FULL = BitMap(np.flatnonzero(np.random.default_rng(0).random(150_000) < 0.5))
RUNS = BitMap(range(10, 100_000)) | BitMap(range(300_000, 300_010)) | BitMap([65_536 * 9 - 1])
MANY = FULL | RUNS | BitMap([2**24])


@pytest.mark.parametrize("members", [LISTS, FULL, RUNS, MANY, FULL - RUNS, BitMap(range(3))])
@pytest.mark.parametrize("compressed", [False, True])
def test_dense_bits_are_the_members(members: BitMap, compressed: bool) -> None:
    members = members.copy()
    if compressed:
        members.run_optimize()
    dense = np.unpackbits(dense_bits(members), bitorder="little")
    assert np.flatnonzero(dense).tolist() == list(members)


def test_no_members_are_no_bits() -> None:
    assert len(dense_bits(BitMap())) == 0
