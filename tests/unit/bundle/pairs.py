"""Pairs of candidates and recent items, and the array that they leave out the zeros of."""

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.known import LINKS, Neighbours, Pairs

Array = NDArray[np.float32]


def affinity(neighbours: Neighbours, candidates: object, recent: object) -> Array:
    """Shapes: candidates [B,K] and recent [B,R], rows of the table -> [B,J,R,K]."""
    mine, before = np.array(candidates), np.array(recent)
    pairs = neighbours.pairs(mine, before)
    batch, width = mine.shape
    dense = np.zeros((batch, len(LINKS), before.shape[1], width), dtype=np.float32)
    person, link, place = np.unravel_index(pairs.candidates, (batch, len(LINKS), width))
    owner, one = np.unravel_index(pairs.recent, before.shape)
    assert owner.tolist() == person.tolist()
    dense[person, link, one, place] = pairs.strengths
    return dense


def pairs_of(dense: Array) -> Pairs:
    """Shapes: [B,J,R,K]."""
    person, link, one, place = np.nonzero(dense)
    _, links, length, width = dense.shape
    return Pairs(
        (person * links + link) * width + place,
        person * length + one,
        dense[person, link, one, place],
    )
