"""A warm start: each row of the weights goes where the new data have the same item, word or kind.

What is new begins as the old model would have treated it: an unknown word, no category, no
attribute, the commonest kind of event. Items begin as in any training, placed by content, their
bias by how often they were taken, on the scale of the biases that are carried over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headrace.bundle.vocabulary import UNKNOWN
from headrace.errors import FailedPrecondition
from headrace.training.model import Model
from headrace.training.start import Start
from headrace.training.weights import tensors_of

_IDS, _BIASES = "towers.item.ids.weight", "towers.item.biases.weight"
_WORDS = ("towers.item.cnn.word.weight", "towers.item.cnn.token.weight")
_CATEGORIES, _NUMBERS = "towers.item.cnn.category.weight", "towers.item.cnn.numeric.weight"
_KINDS = "towers.user.kind.weight"
# Counted in the data, not learned.
_COUNTED = ("towers.item.events", "towers.item.cnn.word_weight")

_NEW = -1
Places = NDArray[np.int64]
"""For each row of the new weights its row in the old ones, `_NEW` where there is none."""


@dataclass(frozen=True)
class Share:
    """Of things by name: how many have their weights from before, how many are new, and how many
    the old model knew that are not there any more."""

    carried: int
    new: int
    gone: int

    @classmethod
    def of(cls, before: Sequence[str], now: Sequence[str]) -> Share:
        both = len(set(before) & set(now))
        return cls(both, len(now) - both, len(before) - both)


@dataclass(frozen=True)
class Carried:
    """What a warm start brought. `ratings`: also what was learned of ratings."""

    model_version: str
    items: Share
    words: Share
    categories: Share
    attributes: Share
    ratings: bool


@torch.no_grad()
def carry_over(start: Start, model: Model) -> Carried:
    """Puts the weights into the model's towers, taste and head.

    Raises: FailedPrecondition where the model has another shape.
    """
    start.refuse_other_shape(model.settings)
    before, now = start.vocabulary, model.vocabulary
    old_ids, new_ids = start.table.ids.tolist(), model.table.ids.tolist()
    items = _places(old_ids, new_ids, fixed=1)
    words = _places(before.tokens, now.tokens, fixed=2)
    rows = {
        _IDS: items,
        _BIASES: items,
        **dict.fromkeys(_WORDS, np.where(words == _NEW, UNKNOWN, words)),
        _KINDS: _kinds(start, model),
    }
    columns = {
        _CATEGORIES: _places(before.categories, now.categories, size=now.category_count),
        _NUMBERS: _places([*before.attributes], [*now.attributes], size=now.attribute_count),
    }
    for name, tensor in tensors_of(model.towers, model.taste, model.head).items():
        # Nothing of ratings, or of embeddings, where the old model knew none.
        if name in _COUNTED or name not in start.weights:
            continue
        old = start.weights[name]
        if name == _BIASES:
            _move_biases(tensor, old, items)
        elif name in rows:
            _fill(tensor, old, rows[name])
        elif name in columns:
            tensor.zero_()
            _fill(tensor.T, old.T, columns[name])
        elif tensor.shape == old.shape:
            tensor.copy_(old)
        else:
            raise FailedPrecondition(
                f"{start.model_version}: {name} has the shape {list(old.shape)}, the model to "
                f"train {list(tensor.shape)}: it cannot start from there; train from the beginning"
            )
    return Carried(
        model_version=start.model_version,
        items=Share.of(old_ids, new_ids),
        words=Share.of(before.tokens, now.tokens),
        categories=Share.of(before.categories, now.categories),
        attributes=Share.of([*before.attributes], [*now.attributes]),
        ratings=model.taste is not None
        and any(name.startswith("taste.") for name in start.weights),
    )


def _places(
    before: Sequence[str], now: Sequence[str], *, fixed: int = 0, size: int | None = None
) -> Places:
    """`fixed` rows at the beginning stand for the same in both; up to `size` the rest is new."""
    index = {name: fixed + row for row, name in enumerate(before)}
    found = [*range(fixed), *(index.get(name, _NEW) for name in now)]
    filler = [] if size is None else [_NEW] * (size - len(found))
    return np.array([*found, *filler], dtype=np.int64)


def _kinds(start: Start, model: Model) -> Places:
    """A kind that the old model never saw is what it took it for: the default, 0."""
    places = np.zeros(model.kinds.count, dtype=np.int64)
    for number, row in model.kinds.event_types.items():
        if number != "0":
            places[row] = start.event_types.get(number, start.event_types["0"])
    return places


def _fill(tensor: Tensor, old: Tensor, places: Places) -> None:
    known = places != _NEW
    tensor[torch.from_numpy(known)] = old[torch.from_numpy(places[known])]


def _move_biases(tensor: Tensor, old: Tensor, places: Places) -> None:
    """New items keep what they began with, log shares, moved as those of the others are."""
    known = places[1:] != _NEW
    carried = old[torch.from_numpy(places[1:][known])]
    if len(carried):
        tensor[1:] += (carried - tensor[1:][torch.from_numpy(known)]).mean()
    _fill(tensor, old, places)
