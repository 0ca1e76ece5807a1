"""Sees to it that every item has a current vector in Postgres and in Kafka, come what may.

The first pass embeds whatever lacks a vector of this model version: after a release, everything.
Later passes find what fell by the way: a crash, an outage, a record that was lost.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from headrace.runtime.share import Share
from services.item_embedding.catalogue import CatalogueItem, EmbeddedItem, Vectors
from services.item_embedding.encoder import ItemTower, embed
from services.item_embedding.metrics import CATALOGUE_ITEMS, ITEMS_WITHOUT_VECTOR

log = logging.getLogger(__name__)

# Some 50 ms of work at once.
_CHUNK = 128
# What changed just now is on its way through Kafka to the consumer of its partition.
_SETTLED_S = 10.0


class Sweeper:
    """The work of one round, and whether the first pass is done.

    share: for a new model everything is embedded, and lists are made meanwhile.
    """

    def __init__(
        self,
        vectors: Vectors,
        tower: ItemTower,
        publish_vectors: Callable[[], None],
        share: Share,
    ) -> None:
        self._vectors = vectors
        self._tower = tower
        self._publish_vectors = publish_vectors
        self._share = share
        self._complete = threading.Event()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ends a pass under way after its present chunk."""
        self._stopping.set()

    def complete(self) -> bool:
        """True once every item that the first pass found has its vector in Kafka."""
        return self._complete.is_set()

    def sweep(self) -> None:
        """Raises: Unavailable while Postgres or Kafka is away."""
        coverage = self._vectors.count()
        first = not self._complete.is_set()
        if coverage.lacking:
            self._fill(coverage.lacking, 0.0 if first else _SETTLED_S)
        self._publish_vectors()
        if coverage.lacking:
            coverage = self._vectors.count()
        CATALOGUE_ITEMS.set(coverage.shown)
        ITEMS_WITHOUT_VECTOR.set(coverage.lacking)
        if first and not self._stopping.is_set():
            log.info("every item has its vector", extra={"items": coverage.shown})
            self._complete.set()

    def _fill(self, lacking: int, settled_s: float) -> None:
        done = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            count = self._vectors.fill(self._embed, _CHUNK, settled_s)
            if count:
                done += count
                log.info("items embedded", extra={"done": done, "of": max(done, lacking)})
                self._publish_vectors()
            if count < _CHUNK:
                return
            self._stopping.wait(self._share.rest_s(time.monotonic() - began))

    def _embed(self, items: Sequence[CatalogueItem]) -> list[EmbeddedItem]:
        return embed(self._tower, items)
