"""What networks that look at a person and an item together share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headrace.bundle.content import ItemContent
from headrace.evaluation.baselines.base import Scores, Training
from headrace.evaluation.baselines.neural.learning import Effort, batches

# He et al. 2017: 4 for each event, 256 events a step.
_NEGATIVES = 4
_BATCH = 256
# Every person is paired with every item: judging by more people would take longer than learning.
JUDGED = 1_000
_MOST_CATEGORIES = 8  # of an item


class Events:
    """Training's events one by one, with what came before each."""

    def __init__(self, train: Training) -> None:
        lengths = [len(history) for history in train.histories]
        self._padding = train.items
        self.users = np.repeat(np.arange(len(lengths)), lengths)
        self.items = np.concatenate(train.histories)
        self._begins = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths)

    def before(self, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        """The last items before each event, padding (N) in front: [B,most]."""
        at = rows[:, None] + np.arange(-most, 0)
        known = at >= self._begins[rows, None]
        return np.where(known, self.items[np.maximum(at, 0)], self._padding)


def losses(
    events: Events,
    items: int,
    logits: Callable[[NDArray[np.int64], Tensor], Tensor],
    effort: Effort,
) -> Callable[[np.random.Generator], Iterator[Tensor]]:
    """Cross-entropy of what was taken against items drawn at random, an epoch at a time.

    `logits` of the events' rows [B] and the items asked about, the taken one first [B,M] -> [B,M].
    """

    def epoch(random: np.random.Generator) -> Iterator[Tensor]:
        for rows in batches(len(events.items), _BATCH, random):
            negatives = random.integers(0, items, (len(rows), _NEGATIVES))
            asked = effort.tensor(np.concatenate([events.items[rows, None], negatives], axis=1))
            found = logits(rows, asked)
            labels = torch.zeros_like(found)
            labels[:, 0] = 1
            yield nn.functional.binary_cross_entropy_with_logits(found, labels)

    return epoch


def scores_of_all(
    logits: Callable[[slice, Tensor], Tensor],
    people: int,
    items: int,
    at_once: int,
    effort: Effort,
) -> Scores:
    """Every item for everybody, `at_once` people a step: [B,N].

    `logits` of some people and all items [b,N] -> [b,N].
    """
    everything = torch.arange(items, device=effort.device)
    out = np.zeros((people, items), dtype=np.float32)
    for start in range(0, people, at_once):
        some = slice(start, min(start + at_once, people))
        out[some] = logits(some, everything.expand(some.stop - some.start, -1)).cpu().numpy()
    return out


def last_items(
    histories: Sequence[NDArray[np.int64]], most: int, padding: int
) -> NDArray[np.int64]:
    """Each history's newest items, padding in front: [B,most]."""
    out = np.full((len(histories), most), padding, dtype=np.int64)
    for row, history in enumerate(histories):
        newest = history[-most:]
        if len(newest):
            out[row, -len(newest) :] = newest
    return out


class Categories(nn.Module):
    """The mean of the embeddings of an item's categories; zeros where it has none."""

    _of_item: Tensor

    def __init__(self, catalogue: Sequence[ItemContent], width: int) -> None:
        super().__init__()
        names = sorted({name for item in catalogue for name in item.categories})
        code = {name: number for number, name in enumerate(names)}
        codes = [
            np.array([code[name] for name in item.categories[:_MOST_CATEGORIES]], dtype=np.int64)
            for item in catalogue
        ]
        codes.append(np.zeros(0, dtype=np.int64))  # padding among items
        padded = torch.from_numpy(last_items(codes, _MOST_CATEGORIES, len(names)))
        self.register_buffer("_of_item", padded, persistent=False)
        self._table = nn.Embedding(len(names) + 1, width, padding_idx=len(names))
        nn.init.normal_(self._table.weight, std=0.1)
        with torch.no_grad():
            self._table.weight[-1] = 0

    def forward(self, items: Tensor) -> Tensor:
        """Shapes: items [...] (N: padding) -> [...,D]."""
        codes = self._of_item[items]
        known = codes.ne(self._table.num_embeddings - 1).sum(dim=-1, keepdim=True)
        mean: Tensor = self._table(codes).sum(dim=-2) / known.clamp(min=1)
        return mean
