"""Counting a catalogue's words, categories and numbers into a vocabulary, and using it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch

from headrace.bundle.content import ItemContent
from headrace.bundle.table import ItemTable
from headrace.bundle.vocabulary import (
    EmbeddingNormalisation,
    Normalisation,
    Vocabulary,
    words_of,
)
from headrace.models.item_cnn import ContentSizes, ItemInputs
from headrace.pictures.pixels import Pixels
from headrace.training.preparation.scale import robust_scale

# A word or category in a single item cannot carry over to another one.
MIN_ITEMS = 2
MAX_VOCABULARY = 50_000
MAX_CATEGORIES = 500
MAX_TOKENS = 64


def build_vocabulary(items: Sequence[ItemContent]) -> Vocabulary:
    """What is worth knowing of this catalogue.

    T is the length that covers 98 % of the items, at most `MAX_TOKENS`.
    """
    words, categories, lengths = Counter[str](), Counter[str](), []
    for item in items:
        of_item = words_of(item)
        lengths.append(len(of_item))
        words.update(set(of_item))
        categories.update(set(item.categories))
    longest = int(np.quantile(lengths, 0.98)) if lengths else 1
    return Vocabulary(
        tokens=_frequent(words, MAX_VOCABULARY),
        categories=tuple(sorted(_frequent(categories, MAX_CATEGORIES))),
        attributes=_normalisations(items),
        max_tokens=min(max(longest, 1), MAX_TOKENS),
        embedding=_embedding_normalisation(items),
    )


def content_sizes(vocabulary: Vocabulary, inputs: ItemInputs) -> ContentSizes:
    """How wide an item tower's inputs are."""
    return ContentSizes(
        vocabulary.token_count,
        vocabulary.category_count,
        vocabulary.attribute_count,
        vocabulary.embedding_inputs,
        pictures=inputs.picture is not None,
    )


def item_inputs(
    items: Sequence[ItemContent],
    vocabulary: Vocabulary,
    table: ItemTable,
    pictures: Pixels | None = None,
) -> ItemInputs:
    """The item tower's inputs, as tensors.

    Shapes: pictures [N,S,S,3], those of the items (None: the tower is to look at none); not copied.
    """
    content = vocabulary.encode(items)
    given = torch.tensor([item.picture is not None for item in items]).float()
    return ItemInputs(
        id_row=torch.from_numpy(table.rows([item.item_id for item in items])),
        tokens=torch.from_numpy(content.tokens),
        categories=torch.from_numpy(content.categories),
        numeric=torch.from_numpy(content.numeric),
        embedding=torch.from_numpy(content.embedding),
        picture=None if pictures is None else torch.from_numpy(pictures),
        has_picture=None if pictures is None else given,
    )


def _frequent(counts: Counter[str], most: int) -> tuple[str, ...]:
    # By count, then by name: the order of the items must not matter.
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(word for word, count in ranked[:most] if count >= MIN_ITEMS)


def _normalisations(items: Sequence[ItemContent]) -> dict[str, Normalisation]:
    values: dict[str, list[float]] = {}
    for item in items:
        for name, value in item.attributes.items():
            values.setdefault(name, []).append(value)
    return {
        name: Normalisation(*robust_scale(np.array(of_name)))
        for name, of_name in sorted(values.items())
    }


def _embedding_normalisation(items: Sequence[ItemContent]) -> EmbeddingNormalisation | None:
    """Mean 0 and length 1 on average, so that every model's embeddings start alike."""
    given = [item.embedding for item in items if item.embedding is not None]
    if not given:
        return None
    rows = np.stack(given)  # [N,E]
    mean = rows.mean(axis=0, dtype=np.float64)
    length = float(np.sqrt(np.mean(np.square(rows - mean).sum(axis=1))))
    return EmbeddingNormalisation(tuple(mean.tolist()), length or 1.0)
