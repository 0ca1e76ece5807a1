"""Flat and HNSW side by side: build time, memory, search time and recall under filters.

    OPENBLAS_NUM_THREADS=1 python -m bench.index --sizes 10000,50000,100000

The ranker's setting HEADRACE_INDEX_EXACT_UP_TO comes from here.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import faiss
import numpy as np
from pyroaring import BitMap

from headrace.index.base import Base, Build
from headrace.index.bits import dense_bits
from headrace.index.encoding import Vector
from headrace.index.flat import flat_base
from headrace.index.hnsw import HnswBase
from headrace.index.rows import Rows, as_array
from headrace.index.vector_index import ABSENT, Found

T = TypeVar("T")

K = 300
WIDTH = 65
SHARES = (1.0, 0.95, 0.5, 0.2, 0.1, 0.05, 0.01)
KINDS: dict[str, Build] = {"flat": flat_base, "hnsw": HnswBase}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,50000,100000", help="numbers of vectors")
    parser.add_argument("--queries", type=int, default=50)
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    for size in map(int, options.sizes.split(",")):
        measure(size, options.queries)


def measure(size: int, queries: int) -> None:
    vectors, asked = clustered(size, queries)
    rows = Rows.of(np.arange(size), vectors)
    bases: dict[str, Base] = {}
    for kind, build in KINDS.items():
        before, began = resident_mb(), time.perf_counter()
        bases[kind] = build(rows)
        took = time.perf_counter() - began
        print(f"\n{size:,} x {WIDTH} {kind}: built in {took:.1f} s, "
              f"{resident_mb() - before:.0f} MB")  # fmt: skip
    print(
        f"{'allowed':>8} {'flat p50':>9} {'hnsw p50':>9} {'gathered':>9} {'bits':>8} {'recall':>7}"
    )
    for share in SHARES:
        print_share(share, rows, bases["flat"], bases["hnsw"], asked)
    everything = BitMap(range(size))
    listed, _ = timed(lambda _: packed_list(everything), asked)
    print(f"bits by the list of members: {listed:.2f} ms")


def print_share(share: float, rows: Rows, flat: Base, hnsw: Base, asked: Vector) -> None:
    """One line: `share` of the rows is allowed."""
    allowed = BitMap(np.flatnonzero(np.random.default_rng(1).random(len(rows)) < share))
    flat_ms, truth = timed(lambda query: flat.search(query, K, allowed), asked)
    hnsw_ms, found = timed(lambda query: hnsw.search(query, K, allowed), asked)
    gathered_ms, _ = timed(lambda query: rows.search(query, K, allowed), asked)
    bits_ms, _ = timed(lambda _: dense_bits(allowed), asked)
    print(
        f"{share:>8.0%} {flat_ms:>6.2f} ms {hnsw_ms:>6.2f} ms {gathered_ms:>6.2f} ms "
        f"{bits_ms:>5.3f} ms {recall(found, truth):>7.3f}"
    )


def clustered(size: int, queries: int) -> tuple[Vector, Vector]:
    """Items around 200 centres with a bias as last number, people near centres with a 1."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((200, WIDTH))
    near = centres[random.integers(0, 200, size + queries)]
    points = (near + 0.7 * random.standard_normal(near.shape)).astype(np.float32)
    points[size:, -1] = 1.0
    return points[:size], points[size:]


def timed(search: Callable[[Vector], T], queries: Vector) -> tuple[float, list[T]]:
    """Returns: median ms of one query, and the answers."""
    times, answers = [], []
    for query in queries:
        began = time.perf_counter()
        answers.append(search(query[None]))
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times), answers


def recall(found: list[Found], truth: list[Found]) -> float:
    hits = sum(
        len(np.intersect1d(a.ordinals, b.ordinals[b.ordinals != ABSENT]))
        for a, b in zip(found, truth, strict=True)
    )
    return hits / sum(np.count_nonzero(b.ordinals != ABSENT) for b in truth)


def packed_list(allowed: BitMap) -> object:
    present = np.zeros(allowed.max() + 1, dtype=np.bool_)
    present[as_array(allowed)] = True
    return np.packbits(present, bitorder="little")


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e6


if __name__ == "__main__":
    main()
