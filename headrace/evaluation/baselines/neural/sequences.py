"""What comes next in a sequence: GRU4Rec (Hidasi et al. 2016) and SASRec (Kang and McAuley 2018).

Both with a softmax over the catalogue, or over many items drawn from a large one: with it SASRec
is far better than with the paper's single negative (Klenitskiy and Vasilev 2023).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headrace.evaluation.baselines.base import People, Scores, Training, validation_ndcg
from headrace.evaluation.baselines.neural.learning import Effort, batches, learn

Kind = Literal["gru4rec", "sasrec"]
_BLOCKS, _HEADS = 2, 2
_DROPOUT = 0.2
_BATCH = 32


@dataclass(eq=False)
class NextItem:
    """Scores are the last position's output times the item embeddings."""

    kind: Kind
    effort: Effort
    width: int = 64
    window: int = 100  # events that are looked back
    whole: int = 4_096  # a catalogue up to this size is all in the softmax
    negatives: int = 512  # of a larger one

    def fit(self, train: Training) -> None:
        torch.manual_seed(self.effort.seed)
        self._padding = train.items
        network = _Network(self.kind, train.items, self.width, self.window)
        self._network = network.to(self.effort.device)
        windows = _windows(train.histories, self._padding, self.window)

        def losses(random: np.random.Generator) -> Iterator[Tensor]:
            for rows in batches(len(windows), _BATCH, random):
                batch = windows[rows]
                # Padding lies in front: what all of a batch lacks is cut off.
                longest = int((batch != self._padding).sum(axis=1).max())
                events = self.effort.tensor(batch[:, -longest:])
                yield self._loss(events[:, :-1], events[:, 1:], random)

        learn(self._network, losses, lambda: validation_ndcg(self, train), self.effort, 1e-3)

    def _loss(self, events: Tensor, following: Tensor, random: np.random.Generator) -> Tensor:
        """Cross-entropy of what followed. Shapes: both [B,L]."""
        known = following != self._padding
        hidden, targets = self._network(events)[known], following[known]  # [P,D], [P]
        if self._padding <= self.whole:
            return nn.functional.cross_entropy(hidden @ self._network.items.T, targets)
        drawn = self.effort.tensor(random.integers(0, self._padding, self.negatives))
        own = (hidden * self._network.items[targets]).sum(dim=1, keepdim=True)
        # Each drawn item stands for N/M of them (Bengio and Senécal 2008).
        weight = math.log(self._padding / self.negatives)
        others = hidden @ self._network.items[drawn].T + weight  # [P,M]
        others = others.masked_fill(drawn == targets[:, None], -torch.inf)
        first = torch.zeros_like(targets)
        return nn.functional.cross_entropy(torch.cat([own, others], dim=1), first)

    @torch.no_grad()
    def score(self, people: People) -> Scores:
        out = np.zeros((len(people), self._padding), dtype=np.float32)
        for start in range(0, len(people), _BATCH):
            histories = people.histories[start : start + _BATCH]
            events = _padded([history[-self.window :] for history in histories], self._padding)
            newest = self._network(self.effort.tensor(events))[:, -1]
            out[start : start + _BATCH] = (newest @ self._network.items.T).cpu().numpy()
        return out


class _Network(nn.Module):
    """Shapes: events [B,L] (N: padding, in front) -> [B,L,D]."""

    def __init__(self, kind: Kind, items: int, width: int, window: int) -> None:
        super().__init__()
        self._items = items
        self._item = nn.Embedding(items + 1, width, padding_idx=items)
        self._place = nn.Embedding(window, width)
        for table in (self._item, self._place):
            nn.init.normal_(table.weight, std=0.02)
        self._dropout = nn.Dropout(_DROPOUT)
        self._norm = nn.LayerNorm(width)
        self._recurrent = nn.GRU(width, width, batch_first=True) if kind == "gru4rec" else None
        self._blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, _HEADS, 4 * width, _DROPOUT, batch_first=True, norm_first=True
            )
            for _ in range(0 if kind == "gru4rec" else _BLOCKS)
        )

    @property
    def items(self) -> Tensor:
        """Vectors of the catalogue: [N,D]."""
        return self._item.weight[: self._items]

    def forward(self, events: Tensor) -> Tensor:
        hidden = self._dropout(self._item(events))
        if self._recurrent is not None:
            hidden = self._recurrent(hidden)[0]
        else:
            hidden = self._attended(hidden, events)
        normed: Tensor = self._norm(hidden)
        return normed

    def _attended(self, hidden: Tensor, events: Tensor) -> Tensor:
        length, device = events.shape[1], events.device
        # Counted from the newest, which is place 0.
        hidden = hidden + self._place(torch.arange(length - 1, -1, -1, device=device))
        later = torch.ones(length, length, device=device).triu(1).bool()
        padding = (events == self._items)[:, None, :]
        # A padded place still looks at itself: attention to nothing is not a number.
        hidden_from = (later | padding) & ~torch.eye(length, device=device).bool()
        mask = hidden_from.repeat_interleave(_HEADS, dim=0)
        for block in self._blocks:
            hidden = block(hidden, src_mask=mask)
        return hidden


def _windows(
    histories: Sequence[NDArray[np.int64]], padding: int, window: int
) -> NDArray[np.int64]:
    """Histories in pieces of one event more than a window, from the newest back: [M,W+1]."""
    pieces = [
        history[max(0, end - window - 1) : end]
        for history in histories
        for end in range(len(history), 1, -window)
    ]
    return _padded(pieces, padding, window + 1)


def _padded(
    pieces: Sequence[NDArray[np.int64]], padding: int, width: int | None = None
) -> NDArray[np.int64]:
    """Padding in front. Shapes: B pieces -> [B,width], by default the longest, at least 1."""
    width = width or max(1, *(len(piece) for piece in pieces), 1)
    out = np.full((len(pieces), width), padding, dtype=np.int64)
    for row, piece in enumerate(pieces):
        if len(piece):
            out[row, -len(piece) :] = piece
    return out
