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
        self._width = manifest.width
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
        self, state: Array, item_vectors: Array, event_types: Any, gap_s: Any
    ) -> tuple[Array, Array]:
        """Take one event of each person.

        Shapes: state [B,S], item_vectors [B,D], event_types [B] (numbers of the `EventType`
        proto), gap_s [B] (seconds since the person's event before; 0: none) ->
        state [B,S], vector [B,D].
        """
        state, vector = self._step.run(
            _float(state), _float(item_vectors), self._trained(event_types), _float(gap_s)
        )
        return state, vector

    def sequence(
        self, state: Array, item_vectors: Array, event_types: Any, gap_s: Any, length: Any
    ) -> tuple[Array, Array]:
        """Take a sequence of events of each person: the same as stepping, within 1e-4.

        Shapes: state [B,S], item_vectors [B,L,D], event_types and gap_s [B,L], length [B] (valid
        positions, from the first) -> state [B,S], vector [B,D] after the last valid position. A
        person with length 0 keeps the state and gets a vector of zeros.
        """
        items, gaps = _float(item_vectors), _float(gap_s)
        types, lengths = self._trained(event_types), np.asarray(length, dtype=np.int64)
        state = _float(state)
        vector = np.zeros((len(state), self._width), dtype=np.float32)
        for start in range(0, items.shape[1], self._max_sequence):
            part = slice(start, start + self._max_sequence)
            left = np.clip(lengths - start, 0, self._max_sequence)
            if not left.any():
                break
            state, newest = self._sequence.run(
                state, items[:, part], types[:, part], gaps[:, part], left
            )
            vector = np.where(left[:, None] > 0, newest, vector)
        return state, vector

    def _trained(self, event_types: Any) -> NDArray[np.int64]:
        numbers = np.asarray(event_types, dtype=np.int64)
        known = (numbers >= 0) & (numbers < len(self._types))
        trained: NDArray[np.int64] = np.where(
            known, self._types[np.where(known, numbers, 0)], self._default_type
        )
        return trained


def _float(values: Any) -> Array:
    return np.ascontiguousarray(values, dtype=np.float32)
