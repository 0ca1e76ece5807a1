"""The item tower as services run it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.bundle.graph import Array, Graph
from headrace.bundle.manifest import Manifest
from headrace.bundle.table import ItemTable
from headrace.bundle.vocabulary import Vocabulary
from headrace.errors import FailedPrecondition
from headrace.pictures.pixels import stacked

# A CNN over 256 items at once keeps its activations within a few MB.
_BATCH = 256


class ItemEncoder:
    """Vectors from content, and what the ranking head's features need to know about items.

    Only `encode` needs the graph; a process that loaded the part `ranker` alone has the rest.
    """

    def __init__(
        self, manifest: Manifest, table: ItemTable, vocabulary: Vocabulary, graph: Graph | None
    ) -> None:
        self._width = manifest.width
        self._looks = "picture" in manifest.graphs["item_encoder.onnx"].inputs
        self._table = table
        self._vocabulary = vocabulary
        self._graph = graph

    def encode(self, items: Sequence[ItemContent]) -> tuple[Array, Array]:
        """Vectors and biases; an item that training never saw is placed by its content alone.

        Shapes: N items -> vectors [N,D], biases [N].

        Raises:
            FailedPrecondition: the bundle was loaded without the part `item`.
            InvalidInput: an embedding has another width than those of training.
        """
        if self._graph is None:
            raise FailedPrecondition("the bundle was loaded without its part 'item'")
        vectors = np.empty((len(items), self._width), dtype=np.float32)
        biases = np.empty(len(items), dtype=np.float32)
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            words, categories, numbers, *embedding = self._vocabulary.encode(batch).inputs
            pictures = stacked([item.picture for item in batch]) if self._looks else ()
            rows = self._table.rows([item.item_id for item in batch])
            part = slice(start, start + len(batch))
            vectors[part], biases[part] = self._graph.run(
                rows, words, categories, numbers, *pictures, *embedding
            )
        return vectors, biases

    @property
    def embedding_width(self) -> int:
        """E, the numbers of an item's embedding; 0 where the tower takes none."""
        return self._vocabulary.embedding_width

    @property
    def looks(self) -> bool:
        """Whether the tower looks at pictures; without, those of items change nothing."""
        return self._looks

    def rows(self, item_ids: Sequence[str]) -> NDArray[np.int64]:
        """Rows of the id table, 0 for an item that training never saw: [N]."""
        return self._table.rows(item_ids)

    def popularity(self, item_id: str) -> float:
        """log(1 + interactions in training); 0 for an item that training never saw."""
        return self._table.popularity(item_id)

    def categories(self, items: Sequence[ItemContent]) -> NDArray[np.uint8]:
        """Multi-hot categories for the features: [N,C]."""
        return self._vocabulary.category_matrix(items).astype(np.uint8)

    def attributes(self, items: Sequence[ItemContent]) -> Array:
        """Normalised numbers for the features: [N,M]."""
        return self._vocabulary.attribute_matrix(items)
