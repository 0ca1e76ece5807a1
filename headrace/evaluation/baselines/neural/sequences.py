"""What comes next in a sequence: GRU4Rec (Hidasi et al. 2016) and SASRec (Kang and McAuley 2018).

Both with a softmax over the whole catalogue: with it SASRec is far better than with the paper's
single negative (Klenitskiy and Vasilev 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headrace.evaluation.baselines.base import People, Scores, Training, validation_ndcg
from headrace.evaluation.baselines.neural.learning import Effort, batches, learn

Kind = Literal["gru4rec", "sasrec"]
_WIDTH, _BLOCKS, _HEADS = 64, 2, 2
_DROPOUT = 0.2
_WINDOW = 100  # events that are looked back
_BATCH = 32


class NextItem:
    """Scores are the last position's output times the item embeddings."""

    def __init__(self, kind: Kind, effort: Effort) -> None:
        self._kind: Kind = kind
        self._effort = effort

    def fit(self, train: Training) -> None:
        torch.manual_seed(self._effort.seed)
        self._padding = train.items
        self._network = _Network(self._kind, train.items)
        windows = _windows(train.histories, self._padding)

        def losses(random: np.random.Generator) -> Iterator[Tensor]:
            for rows in batches(len(windows), _BATCH, random):
                batch = windows[rows]
                # Padding lies in front: what all of a batch lacks is cut off.
                longest = int((batch != self._padding).sum(axis=1).max())
                events = torch.from_numpy(batch[:, -longest:])
                logits = self._network(events[:, :-1])
                yield nn.functional.cross_entropy(
                    logits.flatten(0, 1), events[:, 1:].flatten(), ignore_index=self._padding
                )

        learn(self._network, losses, lambda: validation_ndcg(self, train), self._effort, 1e-3)

    @torch.no_grad()
    def score(self, people: People) -> Scores:
        out = np.zeros((len(people), self._padding), dtype=np.float32)
        for start in range(0, len(people), _BATCH):
            histories = people.histories[start : start + _BATCH]
            events = _padded([history[-_WINDOW:] for history in histories], self._padding)
            out[start : start + _BATCH] = self._network(torch.from_numpy(events), last=True).numpy()
        return out


class _Network(nn.Module):
    """Shapes: events [B,L] (N: padding, in front) -> logits [B,L,N], of the last position [B,N]."""

    def __init__(self, kind: Kind, items: int) -> None:
        super().__init__()
        self._items = items
        self._item = nn.Embedding(items + 1, _WIDTH, padding_idx=items)
        self._place = nn.Embedding(_WINDOW, _WIDTH)
        for table in (self._item, self._place):
            nn.init.normal_(table.weight, std=0.02)
        self._dropout = nn.Dropout(_DROPOUT)
        self._norm = nn.LayerNorm(_WIDTH)
        self._recurrent = nn.GRU(_WIDTH, _WIDTH, batch_first=True) if kind == "gru4rec" else None
        self._blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                _WIDTH, _HEADS, 4 * _WIDTH, _DROPOUT, batch_first=True, norm_first=True
            )
            for _ in range(0 if kind == "gru4rec" else _BLOCKS)
        )

    def forward(self, events: Tensor, last: bool = False) -> Tensor:
        hidden = self._dropout(self._item(events))
        if self._recurrent is not None:
            hidden = self._recurrent(hidden)[0]
        else:
            hidden = self._attended(hidden, events)
        hidden = self._norm(hidden)
        if last:
            hidden = hidden[:, -1]
        logits: Tensor = hidden @ self._item.weight[: self._items].T
        return logits

    def _attended(self, hidden: Tensor, events: Tensor) -> Tensor:
        length = events.shape[1]
        # Counted from the newest, which is place 0.
        hidden = hidden + self._place(torch.arange(length - 1, -1, -1))
        later = torch.ones(length, length).triu(1).bool()
        padding = (events == self._items)[:, None, :]
        # A padded place still looks at itself: attention to nothing is not a number.
        hidden_from = (later | padding) & ~torch.eye(length).bool()
        mask = hidden_from.repeat_interleave(_HEADS, dim=0)
        for block in self._blocks:
            hidden = block(hidden, src_mask=mask)
        return hidden


def _windows(histories: Sequence[NDArray[np.int64]], padding: int) -> NDArray[np.int64]:
    """Histories in pieces of one event more than a window, from the newest back: [M,W+1]."""
    pieces = [
        history[max(0, end - _WINDOW - 1) : end]
        for history in histories
        for end in range(len(history), 1, -_WINDOW)
    ]
    return _padded(pieces, padding, _WINDOW + 1)


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
