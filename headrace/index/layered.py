"""A vector index that changes: an immutable base, a small delta over it, and tombstones.

Writers replace the whole snapshot, so that a search never waits and never sees half a write. When
delta and tombstones have grown, a thread builds a new base from the snapshot and swaps it in.
"""

import threading
from dataclasses import dataclass

import faiss
from pyroaring import BitMap

from headrace.index.base import Base, Build
from headrace.index.encoding import Vector
from headrace.index.rows import Rows, as_bitmap, merged
from headrace.index.table import Ordinals
from headrace.index.vector_index import Found, IndexSizes

# A delta of 1,024 x 65 costs 0.03 ms a search; beyond, a quarter of the base, so that loading N
# vectors builds bases of N + N/1.25 + ... vectors in all, five times N.
_REBUILD_ROWS = 1_024
_REBUILD_SHARE = 0.25


@dataclass(frozen=True)
class _Snapshot:
    """`live`: members of the base that were neither removed nor replaced since it was built."""

    base: Base
    live: BitMap
    delta: Rows

    def changed(self, ordinals: BitMap, rows: Rows) -> "_Snapshot":
        """With `rows` instead of what is at `ordinals`."""
        delta = self.delta.without(ordinals)
        return _Snapshot(self.base, self.live - ordinals, delta.joined(rows))

    def rows(self) -> Rows:
        return self.base.rows.only(self.live).joined(self.delta)

    @property
    def tombstones(self) -> int:
        return len(self.base.rows) - len(self.live)


class LayeredIndex:
    """Implements `VectorIndex`. `build` decides what the base is."""

    def __init__(self, width: int, build: Build, rebuild_rows: int = _REBUILD_ROWS) -> None:
        """rebuild_rows: the least number of changed rows for which a base is built."""
        self.width = width
        self._build = build
        self._rebuild_rows = rebuild_rows
        empty = Rows.none(width)
        self._snapshot = _Snapshot(build(empty), BitMap(), empty)
        self._lock = threading.Lock()
        self._touched = BitMap()
        self._worker: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __len__(self) -> int:
        snapshot = self._snapshot
        return len(snapshot.live) + len(snapshot.delta)

    def upsert(self, ordinals: Ordinals, vectors: Vector) -> None:
        if vectors.shape != (len(ordinals), self.width):
            raise ValueError(f"{vectors.shape} are not {len(ordinals)} vectors of {self.width}")
        self._change(as_bitmap(ordinals), Rows.of(ordinals, vectors))

    def remove(self, ordinals: Ordinals) -> None:
        self._change(as_bitmap(ordinals), Rows.none(self.width))

    def search(self, queries: Vector, k: int, allowed: BitMap | None = None) -> Found:
        snapshot = self._snapshot
        live, delta = snapshot.live, snapshot.delta.members
        if allowed is not None:
            live, delta = live & allowed, delta & allowed
        parts = []
        if live:
            parts.append(snapshot.base.search(queries, k, live))
        if delta or not live:
            parts.append(snapshot.delta.search(queries, k, delta))
        return merged(k, parts)

    def sizes(self) -> IndexSizes:
        snapshot = self._snapshot
        return IndexSizes(len(snapshot.base.rows), len(snapshot.delta), snapshot.tombstones)

    def close(self) -> None:
        worker = self._worker
        if worker is not None:
            worker.join()

    def _change(self, ordinals: BitMap, rows: Rows) -> None:
        """Raises: what ended the last rebuild, if anything did."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._snapshot = self._snapshot.changed(ordinals, rows)
            self._touched |= ordinals
            if self._worker is None and self._worn():
                self._touched = BitMap()
                self._worker = threading.Thread(
                    target=self._rebuild, args=(self._snapshot,), name="rebuild-index", daemon=True
                )
                self._worker.start()

    def _worn(self) -> bool:
        snapshot = self._snapshot
        changed = len(snapshot.delta) + snapshot.tombstones
        return changed > max(self._rebuild_rows, _REBUILD_SHARE * len(snapshot.base.rows))

    def _rebuild(self, source: _Snapshot) -> None:
        faiss.omp_set_num_threads(1)  # of this thread: the other cores are for searches
        try:
            base = self._build(source.rows())
        except BaseException as error:
            with self._lock:
                self._failure, self._worker = error, None
            return
        with self._lock:
            self._snapshot = _Snapshot(
                base, base.rows.members - self._touched, self._snapshot.delta.only(self._touched)
            )
            self._worker = None
