"""A small linear recurrence in the place of the trained network, and items for it."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals

WIDTH = 4
_DECAY = np.array([0.9, 0.7, 0.5, 0.3], dtype=np.float32)


class LinearTower:
    """state' = decay x state + item x (type + rating) / (1 + log(1 + gap)); vector = tanh(state').

    S = D.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.sequences = 0

    def initial_state(self, batch: int) -> Vector:
        return np.zeros((batch, WIDTH), dtype=np.float32)

    def step(
        self,
        state: Vector,
        item_vectors: Vector,
        event_types: NDArray[np.int64],
        gap_s: Vector,
        *,
        ratings: Vector,
    ) -> tuple[Vector, Vector]:
        self.steps += 1
        return self._step(state, item_vectors, event_types, gap_s, ratings)

    def sequence(
        self,
        state: Vector,
        item_vectors: Vector,
        event_types: NDArray[np.int64],
        gap_s: Vector,
        length: NDArray[np.int64],
        *,
        ratings: Vector,
    ) -> tuple[Vector, Vector]:
        self.sequences += 1
        vector = np.zeros_like(state)
        for k in range(item_vectors.shape[1]):
            going = (length > k)[:, None]
            new_state, new_vector = self._step(
                state, item_vectors[:, k], event_types[:, k], gap_s[:, k], ratings[:, k]
            )
            state = np.where(going, new_state, state)
            vector = np.where(going, new_vector, vector)
        return state, vector

    def _step(
        self,
        state: Vector,
        item_vectors: Vector,
        event_types: NDArray[np.int64],
        gap_s: Vector,
        ratings: Vector,
    ) -> tuple[Vector, Vector]:
        weight = (event_types + ratings).astype(np.float32) / (1 + np.log1p(gap_s))
        state = _DECAY * state + item_vectors * weight[:, None]
        return state, np.tanh(state)


class TableOfItems:
    """Items 1 to 999, less those that nobody knows."""

    def __init__(self, unknown: Collection[int] = ()) -> None:
        self.vectors = np.random.default_rng(7).normal(size=(1_000, WIDTH)).astype(np.float32)
        self.unknown = set(unknown)

    def get(self, ordinals: Ordinals) -> tuple[Vector, NDArray[np.bool_]]:
        known = np.array([int(ordinal) not in self.unknown for ordinal in ordinals], dtype=np.bool_)
        return np.where(known[:, None], self.vectors[ordinals], 0).astype(np.float32), known
