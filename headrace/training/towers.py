"""Both towers together, and how they rank a catalogue."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headrace.models.item_cnn import ItemInputs, ItemTower
from headrace.models.user_rnn import UserTower
from headrace.training.log import EventLog

# Bounds the activations of one pass to 8 MB a layer.
_USERS, _EVENTS = 64, 128


class Towers(nn.Module):
    """The model up to retrieval: score = user vector · item vector + item bias."""

    def __init__(self, item: ItemTower, user: UserTower) -> None:
        super().__init__()
        self.item = item
        self.user = user


class KindIndex:
    """Kinds of event as the tower knows them: 0 is the commonest one, and stands for the unseen."""

    def __init__(self, kinds: NDArray[np.int64]) -> None:
        numbers, counts = np.unique(kinds, return_counts=True)
        by_count = numbers[np.argsort(-counts, kind="stable")]
        self.event_types = {"0": 0} | {str(n): index for index, n in enumerate(by_count.tolist())}
        self.count = len(numbers)

    def of(self, kinds: NDArray[np.int64]) -> Tensor:
        table = np.zeros(1 + max(map(int, self.event_types)), dtype=np.int64)
        for number, index in self.event_types.items():
            table[int(number)] = index
        return torch.from_numpy(table[kinds])


class LogTensors:
    """An event log as the towers take it. Shapes: all [E]."""

    def __init__(self, log: EventLog, kinds: KindIndex) -> None:
        self.items = torch.from_numpy(log.items)
        self.kinds = kinds.of(log.kinds)
        self.gap_s = torch.from_numpy(log.gap_s)
        self.offsets = log.offsets
        self.ordered = log.ordered

    def shuffled(self, ends: NDArray[np.int64], random: np.random.Generator) -> LogTensors:
        """Each person's events in another order up to `ends` [U], where learning ends."""
        owners = np.repeat(np.arange(len(ends)), np.diff(self.offsets))
        at = np.arange(len(owners))
        keys = np.where(at < ends[owners], random.random(len(at)), 1 + at)
        rows = torch.from_numpy(np.lexsort((keys, owners))).to(self.items.device)
        other = copy.copy(self)
        other.items, other.kinds = self.items[rows], self.kinds[rows]
        other.gap_s = self.gap_s[rows]
        return other

    def on(self, device: torch.device) -> LogTensors:
        """The same on a device; its offsets stay where batches are made."""
        moved = copy.copy(self)
        moved.items, moved.kinds = self.items.to(device), self.kinds.to(device)
        moved.gap_s = self.gap_s.to(device)
        return moved


@torch.no_grad()
def catalogue_vectors(tower: ItemTower, inputs: ItemInputs) -> tuple[Tensor, Tensor]:
    """Vectors [N,D] and biases [N] of the whole catalogue."""
    columns = torch.arange(len(inputs.id_row), device=inputs.id_row.device)
    parts = [tower(inputs.take(rows)) for rows in torch.split(columns, 1024)]
    return torch.cat([vector for vector, _ in parts]), torch.cat([bias for _, bias in parts])


@torch.no_grad()
def user_vectors(
    tower: UserTower,
    log: LogTensors,
    item_vectors: Tensor,
    users: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> Tensor:
    """People's vectors just before the event at a position, the whole history streamed.

    Shapes: item_vectors [N,D], users and positions [Q] (a person may come often) -> [Q,D], on
    the CPU.
    """
    tower.eval()
    out = torch.zeros(len(users), tower.width)
    lengths = positions - log.offsets[users]
    for questions in _by_user_and_length(users, lengths):
        batch, row_of = np.unique(users[questions], return_inverse=True)
        for start, vectors in _stream(tower, log, item_vectors, batch, lengths[questions].max()):
            at = lengths[questions] - 1 - start
            here = (at >= 0) & (at < vectors.shape[1])
            out[questions[here]] = vectors[row_of[here], at[here]].cpu()
    return out


def _by_user_and_length(
    users: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Questions in groups of a few people whose histories are about equally long."""
    longest = np.zeros(users.max(initial=0) + 1, dtype=np.int64)
    np.maximum.at(longest, users, lengths)
    order = np.lexsort((users, longest[users]))
    first = np.flatnonzero(np.diff(users[order], prepend=-1))
    bounds = [*first[::_USERS], len(order)]
    for start, end in pairwise(bounds):
        yield order[start:end]


def _stream(
    tower: UserTower,
    log: LogTensors,
    item_vectors: Tensor,
    users: NDArray[np.int64],
    longest: int,
) -> Iterator[tuple[int, Tensor]]:
    """Vectors after each event, in chunks of at most `_EVENTS`: (first event, [B,L,D])."""
    state = tower.initial_state(len(users))
    starts, ends = log.offsets[users], log.offsets[users + 1]
    for chunk in range(0, longest, _EVENTS):
        width = min(_EVENTS, longest - chunk)
        at = np.minimum(starts[:, None] + chunk + np.arange(width), ends[:, None] - 1)
        # [B,L]; beyond its end a row repeats, and is not read.
        events = torch.from_numpy(at).to(item_vectors.device)
        state, vectors = tower.sequence(
            state,
            item_vectors[log.items[events]],
            log.kinds[events],
            log.gap_s[events],
            torch.full((len(users),), width, device=item_vectors.device),
        )
        yield chunk, vectors


class TowerScorer:
    """Retrieval order of the whole catalogue, on the CPU.

    Shapes: users [Q,D], vectors [N,D], biases [N].
    """

    def __init__(self, users: Tensor, vectors: Tensor, biases: Tensor) -> None:
        self.users = users.cpu()
        self._vectors, self._biases = vectors.cpu(), biases.cpu()

    def scores(self, questions: slice) -> NDArray[np.float32]:
        scores = torch.addmm(self._biases, self.users[questions], self._vectors.T)
        return np.asarray(scores.numpy(), dtype=np.float32)
