"""Content as arrays: tokens, categories and numbers, as they were counted in training."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.errors import BundleInvalid, InvalidInput

FILE = "vocabulary.json"
PADDING, UNKNOWN = 0, 1
_WORD = re.compile(r"\w+", re.UNICODE)


class EncodedContent(NamedTuple):
    """Shapes: tokens [N,T] int64 (0: padding); float32: categories [N,C], numeric [N,M],
    embedding [N,E+1], its last column 1 where an item has none, or [N,0]."""

    tokens: NDArray[np.int64]
    categories: NDArray[np.float32]
    numeric: NDArray[np.float32]
    embedding: NDArray[np.float32]

    @property
    def inputs(self) -> tuple[NDArray[Any], ...]:
        """Those that a graph has: no graph has an empty axis."""
        present = (self.tokens, self.categories, self.numeric)
        return (*present, self.embedding) if self.embedding.shape[1] else present


@dataclass(frozen=True)
class Normalisation:
    """value -> (value - mean) / scale, held within four scales; a missing value becomes 0."""

    mean: float
    scale: float


@dataclass(frozen=True)
class EmbeddingNormalisation:
    """embedding -> (embedding - mean) / scale. One scale for all, so that near stays near.

    Shapes: mean [E].
    """

    mean: tuple[float, ...]
    scale: float


@dataclass(frozen=True)
class Vocabulary:
    """Tokens have the indices 2, 3, …; T is `max_tokens`, C and M count the other two.

    C and M are at least 1, so that no graph has an empty axis. `embedding` is None where training
    knew no embeddings.
    """

    tokens: tuple[str, ...]
    categories: tuple[str, ...]
    attributes: Mapping[str, Normalisation]
    max_tokens: int
    embedding: EmbeddingNormalisation | None = None

    @property
    def token_count(self) -> int:
        """Rows of a token embedding: padding and unknown included."""
        return len(self.tokens) + 2

    @property
    def category_count(self) -> int:
        return max(1, len(self.categories))

    @property
    def attribute_count(self) -> int:
        return max(1, len(self.attributes))

    @property
    def embedding_width(self) -> int:
        """E, the numbers of an embedding; 0 where training knew none."""
        return len(self.embedding.mean) if self.embedding else 0

    @property
    def embedding_inputs(self) -> int:
        """E + 1, for one tells that there is none; 0 where training knew none."""
        return self.embedding_width + 1 if self.embedding else 0

    def encode(self, items: Sequence[ItemContent]) -> EncodedContent:
        """What the item encoder takes. Words and categories that training never saw say nothing.

        Raises: InvalidInput for an embedding of another width.
        """
        tokens = np.full((len(items), self.max_tokens), PADDING, dtype=np.int64)
        index = self._token_index
        for row, item in enumerate(items):
            words = words_of(item)[: self.max_tokens]
            tokens[row, : len(words)] = [index.get(word, UNKNOWN) for word in words]
        return EncodedContent(
            tokens,
            self.category_matrix(items),
            self.attribute_matrix(items),
            self.embedding_matrix(items),
        )

    def category_matrix(self, items: Sequence[ItemContent]) -> NDArray[np.float32]:
        """Multi-hot: [N,C]."""
        matrix = np.zeros((len(items), self.category_count), dtype=np.float32)
        for row, item in enumerate(items):
            for category in item.categories:
                column = self._category_index.get(category)
                if column is not None:
                    matrix[row, column] = 1.0
        return matrix

    def attribute_matrix(self, items: Sequence[ItemContent]) -> NDArray[np.float32]:
        """Normalised numbers: [N,M]."""
        matrix = np.zeros((len(items), self.attribute_count), dtype=np.float32)
        for column, (name, normal) in enumerate(self.attributes.items()):
            values = np.array(
                [item.attributes.get(name, np.nan) for item in items], dtype=np.float64
            )
            known = ~np.isnan(values)  # what is given is finite
            scaled = (values[known] - normal.mean) / normal.scale
            matrix[known, column] = np.clip(scaled, -4, 4)
        return matrix

    def embedding_matrix(self, items: Sequence[ItemContent]) -> NDArray[np.float32]:
        """Normalised embeddings, zeros and a mark where there is none: [N,E+1] or [N,0].

        Raises: InvalidInput for an embedding of another width.
        """
        matrix = np.zeros((len(items), self.embedding_inputs), dtype=np.float32)
        if self.embedding is None:
            return matrix
        mean = np.array(self.embedding.mean, dtype=np.float32)
        for row, item in enumerate(items):
            if item.embedding is None:
                matrix[row, -1] = 1.0
                continue
            if len(item.embedding) != len(mean):
                raise InvalidInput.of(
                    "embedding",
                    f"item {item.item_id!r} has {len(item.embedding)} numbers; "
                    f"this model takes {len(mean)}",
                )
            matrix[row, :-1] = (item.embedding - mean) / self.embedding.scale
        return matrix

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Vocabulary:
        """Raises: BundleInvalid if it is not what `to_json` wrote."""
        try:
            raw = json.loads(text)
            return cls(
                tokens=tuple(map(str, raw["tokens"])),
                categories=tuple(map(str, raw["categories"])),
                attributes={
                    name: Normalisation(float(value["mean"]), float(value["scale"]))
                    for name, value in raw["attributes"].items()
                },
                max_tokens=int(raw["max_tokens"]),
                # Bundles from before there were embeddings do not name them.
                embedding=_embedding(raw.get("embedding")),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleInvalid(f"{FILE}: not a vocabulary: {error!r}") from error

    @cached_property
    def _token_index(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens, start=UNKNOWN + 1)}

    @cached_property
    def _category_index(self) -> dict[str, int]:
        return {category: index for index, category in enumerate(self.categories)}


def _embedding(raw: Mapping[str, Any] | None) -> EmbeddingNormalisation | None:
    if raw is None:
        return None
    return EmbeddingNormalisation(tuple(map(float, raw["mean"])), float(raw["scale"]))


def words_of(item: ItemContent) -> list[str]:
    """Title, then tags, then description, in lower case: what comes late may be cut off."""
    text = " ".join((item.title, *item.tags, item.description))
    return _WORD.findall(text.lower())
