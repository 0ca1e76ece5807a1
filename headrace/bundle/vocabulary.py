"""Content as arrays: tokens, categories and numbers, as they were counted in training."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.errors import BundleInvalid

FILE = "vocabulary.json"
PADDING, UNKNOWN = 0, 1
_WORD = re.compile(r"\w+", re.UNICODE)


class EncodedContent(NamedTuple):
    """Shapes: tokens [N,T] int64 (0: padding), categories [N,C], numeric [N,M], both float32."""

    tokens: NDArray[np.int64]
    categories: NDArray[np.float32]
    numeric: NDArray[np.float32]


@dataclass(frozen=True)
class Normalisation:
    """value -> (value - mean) / scale, held within four scales; a missing value becomes 0."""

    mean: float
    scale: float


@dataclass(frozen=True)
class Vocabulary:
    """Tokens have the indices 2, 3, …; T is `max_tokens`, C and M count the other two.

    C and M are at least 1, so that no graph has an empty axis.
    """

    tokens: tuple[str, ...]
    categories: tuple[str, ...]
    attributes: Mapping[str, Normalisation]
    max_tokens: int

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

    def encode(self, items: Sequence[ItemContent]) -> EncodedContent:
        """What the item encoder takes. Words and categories that training never saw say nothing."""
        tokens = np.full((len(items), self.max_tokens), PADDING, dtype=np.int64)
        for row, item in enumerate(items):
            known = [self._token_index.get(word, UNKNOWN) for word in words_of(item)]
            known = known[: self.max_tokens]
            tokens[row, : len(known)] = known
        return EncodedContent(tokens, self.category_matrix(items), self.attribute_matrix(items))

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
            for row, item in enumerate(items):
                value = item.attributes.get(name)
                if value is not None:
                    matrix[row, column] = np.clip((value - normal.mean) / normal.scale, -4, 4)
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
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleInvalid(f"{FILE}: not a vocabulary: {error!r}") from error

    @cached_property
    def _token_index(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens, start=UNKNOWN + 1)}

    @cached_property
    def _category_index(self) -> dict[str, int]:
        return {category: index for index, category in enumerate(self.categories)}


def words_of(item: ItemContent) -> list[str]:
    """Title, then tags, then description, in lower case: what comes late may be cut off."""
    text = " ".join((item.title, *item.tags, item.description))
    return _WORD.findall(text.lower())
