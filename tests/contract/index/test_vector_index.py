"""One suite for every vector index."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from pyroaring import BitMap

from headrace.index.choice import exact_index, index_by_size
from headrace.index.encoding import Vector
from headrace.index.flat import flat_base
from headrace.index.hnsw import HnswBase
from headrace.index.layered import LayeredIndex
from headrace.index.vector_index import ABSENT, VectorIndex
from tests.contract.index.brute_force import BruteForceIndex

WIDTH = 24

EXACT: dict[str, Callable[[], VectorIndex]] = {
    "brute force": lambda: BruteForceIndex(WIDTH),
    "flat": lambda: exact_index(WIDTH),
    "flat, rebuilt often": lambda: LayeredIndex(WIDTH, flat_base, rebuild_rows=16),
}
APPROXIMATE: dict[str, Callable[[], VectorIndex]] = {
    "hnsw": lambda: LayeredIndex(WIDTH, HnswBase, rebuild_rows=256),
    "by size": lambda: index_by_size(WIDTH, exact_up_to=1_500),
}
EVERY = {**EXACT, **APPROXIMATE}


@pytest.fixture(params=EVERY)
def index(request: pytest.FixtureRequest) -> Iterator[VectorIndex]:
    index = EVERY[request.param]()
    yield index
    index.close()


@pytest.fixture(params=EXACT)
def exact(request: pytest.FixtureRequest) -> Iterator[VectorIndex]:
    index = EXACT[request.param]()
    yield index
    index.close()


def clustered(count: int, seed: int = 0) -> Vector:
    """[N, D] around 50 centres."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((50, WIDTH))
    chosen = centres[random.integers(0, len(centres), count)]
    return (chosen + 0.5 * random.standard_normal((count, WIDTH))).astype(np.float32)


def filled(index: VectorIndex, vectors: Vector, first: int = 0) -> None:
    """Upserts in batches, as a topic is read."""
    for start in range(0, len(vectors), 300):
        batch = vectors[start : start + 300]
        index.upsert(np.arange(len(batch)) + first + start, batch)


def test_an_exact_index_agrees_with_brute_force(exact: VectorIndex) -> None:
    vectors, queries = clustered(900), clustered(5, seed=1)
    filled(exact, vectors, first=7)
    found = exact.search(queries, 20)
    truth = np.argsort(-(queries @ vectors.T), axis=1)[:, :20]
    np.testing.assert_array_equal(found.ordinals, truth + 7)
    np.testing.assert_allclose(
        found.scores, np.take_along_axis(queries @ vectors.T, truth, axis=1), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("kept", [1.0, 0.5, 0.12])
def test_the_hnsw_graph_finds_95_percent(kept: float) -> None:
    vectors, queries = clustered(4_000), clustered(50, seed=1)
    allowed = BitMap(np.flatnonzero(np.random.default_rng(2).random(4_000) < kept))
    index = LayeredIndex(WIDTH, HnswBase, rebuild_rows=256)
    index.upsert(np.arange(len(vectors)), vectors)
    index.close()
    assert index.sizes().base == len(vectors)
    found = index.search(queries, 50, allowed)
    scores = queries @ vectors.T
    scores[:, [o for o in range(4_000) if o not in allowed]] = -np.inf
    truth = np.argsort(-scores, axis=1)[:, :50]
    hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found.ordinals, truth, strict=True))
    assert hits / truth.size >= 0.95


def test_an_upsert_replaces(index: VectorIndex) -> None:
    vectors = clustered(600)
    filled(index, vectors)
    loud = 100 * np.ones((1, WIDTH), dtype=np.float32)
    index.upsert(np.array([42]), loud)
    assert index.search(loud, 1).ordinals.tolist() == [[42]]
    index.upsert(np.array([42]), -loud)
    assert 42 not in index.search(loud, 300).ordinals
    assert len(index) == 600


def test_of_equal_ordinals_in_one_write_the_last_counts(index: VectorIndex) -> None:
    vectors = np.eye(2, WIDTH, dtype=np.float32)
    index.upsert(np.array([5, 5]), vectors)
    assert index.search(vectors[1:], 1).scores.tolist() == [[1.0]]
    assert len(index) == 1


def test_a_removed_vector_is_hidden_at_once_and_can_return(index: VectorIndex) -> None:
    vectors = clustered(600)
    filled(index, vectors)
    first = index.search(vectors[:1], 1).ordinals[0]
    index.remove(first)
    assert first[0] not in index.search(vectors[:1], 600).ordinals
    assert len(index) == 599
    index.upsert(first, 100 * vectors[:1])
    assert index.search(vectors[:1], 1).ordinals[0] == first


def test_removing_what_is_absent_changes_nothing(index: VectorIndex) -> None:
    filled(index, clustered(10))
    index.remove(np.array([10, 9_999]))
    assert len(index) == 10


@pytest.mark.parametrize("share", [0.001, 0.01, 0.2, 0.9])
def test_a_filter_gives_as_many_as_there_are(index: VectorIndex, share: float) -> None:
    count = 3_000
    filled(index, clustered(count))
    random = np.random.default_rng(3)
    allowed = BitMap(random.choice(count, int(count * share), replace=False).astype(np.uint32))
    found = index.search(clustered(4, seed=4), 30, allowed).ordinals
    for row in found:
        real = row[row != ABSENT]
        assert len(real) == min(30, len(allowed))
        assert len(set(real.tolist())) == len(real)
        assert BitMap(real.tolist()) <= allowed


def test_a_filter_of_absent_ordinals_finds_nothing(index: VectorIndex) -> None:
    filled(index, clustered(100))
    assert (index.search(clustered(1), 5, BitMap([100, 70_000])).ordinals == ABSENT).all()


def test_asking_for_more_than_there_is_gives_all_and_padding(index: VectorIndex) -> None:
    filled(index, clustered(20))
    found = index.search(clustered(2), 50)
    assert sorted(found.ordinals[0][:20].tolist()) == list(range(20))
    assert (found.ordinals[:, 20:] == ABSENT).all()
    assert np.isneginf(found.scores[:, 20:]).all()


def test_an_empty_index_finds_nothing(index: VectorIndex) -> None:
    found = index.search(clustered(3), 4)
    assert found.ordinals.shape == found.scores.shape == (3, 4)
    assert (found.ordinals == ABSENT).all()
    assert len(index) == 0


def test_scores_come_best_first(index: VectorIndex) -> None:
    filled(index, clustered(1_000))
    assert (np.diff(index.search(clustered(3), 100).scores, axis=1) <= 0).all()


def test_searches_beside_writes_are_full_and_never_show_what_was_removed(
    index: VectorIndex,
) -> None:
    """Even ordinals stay; each odd one is removed, and readers know which are gone by then."""
    count, k = 2_000, 50
    vectors = clustered(count)
    filled(index, vectors)
    gone = BitMap()
    failures: list[str] = []
    done = threading.Event()

    def write() -> None:
        random = np.random.default_rng(5)
        nonlocal gone
        for odd in random.permutation(np.arange(1, count, 2)).reshape(-1, 20):
            index.remove(odd)
            gone = gone | BitMap(odd.tolist())
            changed = random.choice(np.arange(0, count, 2), 40, replace=False)
            index.upsert(changed, vectors[changed])
        done.set()

    def read(seed: int) -> None:
        query = clustered(1, seed)
        while not done.is_set():
            gone_before = gone
            row = index.search(query, k).ordinals[0]
            if (row == ABSENT).any() or len(set(row.tolist())) < k:
                failures.append(f"not full: {row}")
            if gone_before & BitMap(row[row != ABSENT].tolist()):
                failures.append("shows what was removed")

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    write()
    for thread in threads:
        thread.join()
    assert failures == []
    index.close()
    assert len(index) == count // 2
    assert set(index.search(clustered(1), count).ordinals[0].tolist()) - {ABSENT} == set(
        range(0, count, 2)
    )
