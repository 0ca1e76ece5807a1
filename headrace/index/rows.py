"""Vectors sorted by ordinal, and exact search over all or some of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from headrace.index.vector_index import ABSENT, Found


def as_array(members: BitMap) -> Ordinals:
    """Returns: [N], ascending."""
    return np.frombuffer(members.to_array(), dtype=np.uint32).astype(np.int64)


def as_bitmap(ordinals: Ordinals) -> BitMap:
    return BitMap(ordinals.astype(np.uint32))


class Rows:
    """Immutable. ordinals: [N], ascending and different; vectors: [N, D]."""

    def __init__(self, ordinals: Ordinals, vectors: Vector) -> None:
        self.ordinals = ordinals
        self.vectors = vectors
        self.members = as_bitmap(ordinals)

    @classmethod
    def none(cls, width: int) -> "Rows":
        return cls(np.zeros(0, dtype=np.int64), np.zeros((0, width), dtype=np.float32))

    @classmethod
    def of(cls, ordinals: Ordinals, vectors: Vector) -> "Rows":
        """Sorts; of equal ordinals the last counts."""
        kept, from_the_end = np.unique(ordinals[::-1], return_index=True)
        return cls(
            kept.astype(np.int64),
            np.ascontiguousarray(vectors[::-1][from_the_end], dtype=np.float32),
        )

    def __len__(self) -> int:
        return len(self.ordinals)

    def only(self, members: BitMap) -> "Rows":
        """The rows whose ordinals are among `members`."""
        kept = self.members & members
        if len(kept) == len(self):
            return self
        positions = self.positions(kept)
        return Rows(self.ordinals[positions], self.vectors[positions])

    def without(self, members: BitMap) -> "Rows":
        return self.only(self.members - members)

    def joined(self, others: "Rows") -> "Rows":
        """Both together; an ordinal that both have comes from `others`."""
        return Rows.of(
            np.concatenate([self.ordinals, others.ordinals]),
            np.concatenate([self.vectors, others.vectors]),
        )

    def positions(self, members: BitMap) -> NDArray[np.intp]:
        """Where `members`, all of them present, are."""
        return np.searchsorted(self.ordinals, as_array(members))

    def search(self, queries: Vector, k: int, allowed: BitMap) -> Found:
        """Scores every row among `allowed`, a subset of `members`. queries [B, D]."""
        if len(allowed) == len(self):
            ordinals, vectors = self.ordinals, self.vectors
        else:
            positions = self.positions(allowed)
            ordinals, vectors = self.ordinals[positions], self.vectors[positions]
        scores = queries @ vectors.T  # [B, N]
        return best(k, scores, np.broadcast_to(ordinals, scores.shape))


def best(k: int, scores: Vector, ordinals: NDArray[np.int64]) -> Found:
    """The k greatest of each row, padded. scores and ordinals [B, N] -> [B, k]."""
    if scores.shape[1] > k:
        chosen = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        scores = np.take_along_axis(scores, chosen, axis=1)
        ordinals = np.take_along_axis(ordinals, chosen, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    found = Found(
        np.full((len(scores), k), -np.inf, dtype=np.float32),
        np.full((len(scores), k), ABSENT, dtype=np.int64),
    )
    found.scores[:, : order.shape[1]] = np.take_along_axis(scores, order, axis=1)
    found.ordinals[:, : order.shape[1]] = np.take_along_axis(ordinals, order, axis=1)
    return found


def merged(k: int, parts: Sequence[Found]) -> Found:
    """The k best of several answers to the same queries."""
    if len(parts) == 1:
        return parts[0]
    return best(
        k,
        np.concatenate([part.scores for part in parts], axis=1),
        np.concatenate([part.ordinals for part in parts], axis=1),
    )
