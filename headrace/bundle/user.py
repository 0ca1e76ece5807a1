"""The user tower as services run it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.graph import Array, Graph
from headrace.bundle.manifest import Manifest


class UserEncoder:
    """One recurrent step per event, or many at once. B people, L events, S state, D width."""

    def __init__(self, manifest: Manifest, step: Graph, sequence: Graph) -> None:
        self._step = step
        self._sequence = sequence
        self._width = manifest.user_width
        self._takes_ratings = "rating" in manifest.graphs["user_step.onnx"].inputs
        self._state_width = manifest.state_width
        self._max_sequence = manifest.max_sequence
        self._default_type = manifest.event_types["0"]
        self._types = np.full(
            1 + max(map(int, manifest.event_types)), self._default_type, dtype=np.int64
        )
        for number, index in manifest.event_types.items():
            self._types[int(number)] = index

    def initial_state(self, batch: int) -> Array:
        """The state of people who did nothing yet: [B,S]."""
        return np.zeros((batch, self._state_width), dtype=np.float32)

    def step(
        self,
        state: Array,
        item_vectors: Array,
        event_types: Any,
        gap_s: Any,
        *,
        ratings: Any = None,
    ) -> tuple[Array, Array]:
        """Take one event of each person.

        Shapes: state [B,S], item_vectors [B,D], event_types [B] (numbers of the `EventType`
        proto), gap_s [B] (seconds since the person's event before; 0: none), ratings [B] (1 to 5;
        0 or NaN: none; None: of nobody) -> state [B,S], vector [B,D+T].
        """
        vectors = _float(item_vectors)
        state, vector = self._step.run(
            _float(state),
            vectors,
            self._trained(event_types),
            _float(gap_s),
            *self._ratings(ratings, vectors.shape[:1]),
        )
        return state, vector

    def sequence(
        self,
        state: Array,
        item_vectors: Array,
        event_types: Any,
        gap_s: Any,
        length: Any,
        *,
        ratings: Any = None,
    ) -> tuple[Array, Array]:
        """Take a sequence of events of each person: the same as stepping, within 1e-4.

        Shapes: state [B,S], item_vectors [B,L,D], event_types, gap_s and ratings [B,L], length [B]
        (valid positions, from the first) -> state [B,S], vector [B,D+T] after the last valid
        position. A person with length 0 keeps the state and gets a vector of zeros.
        """
        items, gaps = _float(item_vectors), _float(gap_s)
        given = self._ratings(ratings, items.shape[:2])
        types, lengths = self._trained(event_types), np.asarray(length, dtype=np.int64)
        state = _float(state)
        vector = np.zeros((len(state), self._width), dtype=np.float32)
        for start in range(0, items.shape[1], self._max_sequence):
            part = slice(start, start + self._max_sequence)
            left = np.clip(lengths - start, 0, self._max_sequence)
            if not left.any():
                break
            state, newest = self._sequence.run(
                state,
                items[:, part],
                types[:, part],
                gaps[:, part],
                left,
                *(rating[:, part] for rating in given),
            )
            vector = np.where(left[:, None] > 0, newest, vector)
        return state, vector

    def _ratings(self, ratings: Any, shape: tuple[int, ...]) -> tuple[Array, ...]:
        """None where the model knows nothing of ratings."""
        if not self._takes_ratings:
            return ()
        given = np.zeros(shape) if ratings is None else np.nan_to_num(ratings)
        return (_float(given),)

    def _trained(self, event_types: Any) -> NDArray[np.int64]:
        numbers = np.asarray(event_types, dtype=np.int64)
        known = (numbers >= 0) & (numbers < len(self._types))
        trained: NDArray[np.int64] = np.where(
            known, self._types[np.where(known, numbers, 0)], self._default_type
        )
        return trained


def _float(values: Any) -> Array:
    return np.ascontiguousarray(values, dtype=np.float32)
