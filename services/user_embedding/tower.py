"""What the recurrence needs: the network, and the items' vectors."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals


class UserTower(Protocol):
    """The recurrent network. B people, L entries, S state, D width, D+T width of a person's vector.

    gap_s: seconds since the entry before. ratings: 1 to 5; 0: none.
    """

    def initial_state(self, batch: int) -> Vector:
        """Returns: [B, S]."""
        ...

    def step(
        self,
        state: Vector,
        item_vectors: Vector,
        event_types: NDArray[np.int64],
        gap_s: Vector,
        *,
        ratings: Vector,
    ) -> tuple[Vector, Vector]:
        """[B, S], [B, D], [B], [B], [B] → state [B, S], vector [B, D+T]."""
        ...

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
        """[B, S], [B, L, D], [B, L], [B, L], [B], [B, L] → state [B, S], vector [B, D+T] at
        `length`."""
        ...


class ItemVectors(Protocol):
    """Vectors of items by ordinal."""

    def get(self, ordinals: Ordinals) -> tuple[Vector, NDArray[np.bool_]]:
        """Returns: vectors [N, D], zeros where nobody knows the ordinal, and which are known [N].

        Raises: Unavailable where that cannot be told now.
        """
        ...
