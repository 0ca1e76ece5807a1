"""Counting which items go together in what the towers learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from headrace.bundle.known import LINKS, Neighbours
from headrace.training.log import EventLog

# As many neighbours as pay; a large catalogue keeps fewer, so that a ranker can hold them all.
_MOST = 128
_MOST_ENTRIES = 24_000_000
_WINDOW = 20  # events between an item and what comes soon after it
# Shares of what follows an item say little where it occurs only a few times.
_DAMPING = 20.0
# EASE inverts a matrix of items by items; the commonest ones have nearly all pairs.
_EASE_ITEMS = 5_000


def count_neighbours(
    log: EventLog, rows: NDArray[np.int64], learned: NDArray[np.bool_], items: int
) -> Neighbours:
    """Neighbours among the marked events.

    Shapes: rows [N], of each column of the catalogue, in an id table of `items`; learned [E].
    """
    owners = np.repeat(np.arange(log.users), np.diff(log.offsets))[learned]
    touched = rows[log.items[learned]]
    counts = np.bincount(touched, minlength=items + 1)
    share = sparse.diags_array(1 / (counts + _DAMPING))
    found = {
        "next": share @ _followers(owners, touched, items, 1),
        "soon": share @ _followers(owners, touched, items, _WINDOW),
        "together": _together(owners, touched, counts, log.users),
    }
    most = int(np.clip(_MOST_ENTRIES // (len(LINKS) * (items + 1)), 1, min(_MOST, items)))
    kept = [_strongest(found[link].tocsr(), most) for link in LINKS]
    return Neighbours(np.stack([k[0] for k in kept]), np.stack([k[1] for k in kept]))


def _followers(
    owners: NDArray[np.int64], touched: NDArray[np.int64], items: int, window: int
) -> sparse.csr_array:
    """How often one item follows another of the same person; at a distance of d it counts 1/d."""
    shape = (items + 1, items + 1)
    total = sparse.csr_array(shape, dtype=np.float32)
    for distance in range(1, window + 1):
        same = owners[distance:] == owners[:-distance]
        pairs = touched[:-distance][same], touched[distance:][same]
        strength = np.full(int(same.sum()), 1 / distance, dtype=np.float32)
        total = total + sparse.csr_array((strength, pairs), shape=shape)
    total.setdiag(0)
    return total


def _together(
    owners: NDArray[np.int64], touched: NDArray[np.int64], counts: NDArray[np.int64], users: int
) -> sparse.csr_array:
    """EASE's weights (Steck 2019, equation 8) between the commonest items.

    The penalty is what an item has on average: the more there is to learn from, the more it
    takes to say that one item has nothing to do with another.
    """
    common = np.flatnonzero(counts)
    common = np.sort(common[np.argsort(-counts[common], kind="stable")[:_EASE_ITEMS]])
    place = np.full(len(counts), -1)
    place[common] = np.arange(len(common))
    among = place[touched] >= 0
    seen = sparse.csr_array(
        (np.ones(among.sum(), dtype=np.float32), (owners[among], place[touched[among]])),
        shape=(users, len(common)),
    )
    seen.data[:] = 1  # once or more is the same
    gram = (seen.T @ seen).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += max(float(np.mean(counts[common])), 1.0)
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    dense = sparse.coo_array(np.maximum(weights, 0))
    pairs = common[dense.coords[0]], common[dense.coords[1]]
    return sparse.csr_array((dense.data, pairs), shape=(len(counts), len(counts)))


def _strongest(links: sparse.csr_array, most: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The greatest entries of each row. Shapes: [N+1,N+1] -> columns and values, [N+1,M]."""
    columns = np.zeros((links.shape[0], most), dtype=np.int32)
    values = np.zeros((links.shape[0], most), dtype=np.float32)
    for row in range(1, links.shape[0]):
        part = slice(links.indptr[row], links.indptr[row + 1])
        strength = links.data[part]
        kept = np.argsort(-strength, kind="stable")[:most]
        kept = kept[strength[kept] > 0]
        columns[row, : len(kept)] = links.indices[part][kept]
        values[row, : len(kept)] = strength[kept]
    return columns, values
