"""Pictures come after their items: an item's answer never waits for a foreign server."""

import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from headrace.pictures.pixels import Pixels
from headrace.pictures.reading import Flaw
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.metrics import PICTURE_FETCHES
from services.item_embedding.picture_fetch import PASSING, WITHIN_S, Miss
from services.item_embedding.picture_store import PictureStore, Wanted

log = logging.getLogger(__name__)

_AT_ONCE = 8
_CLAIMED = 4 * _AT_ONCE
# What was claimed by a process that died is asked for again after that; a round takes a third.
_LEASE_S = 3 * _CLAIMED / _AT_ONCE * WITHIN_S


class PictureRounds:
    """The work of one round: all pictures that are wanted now.

    changed: told of each item whose picture came, to have its vector made and the change published.
    """

    def __init__(
        self,
        store: PictureStore,
        origins: Collection[str],
        get: Callable[[str], Pixels | Flaw | Miss],
        changed: Callable[[CatalogueItem], None],
    ) -> None:
        self._store = store
        self._origins = origins
        self._get = get
        self._changed = changed
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ends a round once what is under way has ended."""
        self._stopping.set()

    def fetch(self) -> None:
        """Raises: Unavailable while Postgres is away."""
        while not self._stopping.is_set():
            wanted = self._store.claim(self._origins, _CLAIMED, _LEASE_S)
            if not wanted:
                return
            self._fetch(wanted)

    def _fetch(self, wanted: Collection[Wanted]) -> None:
        with ThreadPoolExecutor(_AT_ONCE, "pictures") as askers:
            asked = {askers.submit(self._get, one.url): one for one in wanted}
            for answer in as_completed(asked):
                self._take(asked[answer], answer.result())
                if self._stopping.is_set():
                    askers.shutdown(wait=False, cancel_futures=True)
                    return

    def _take(self, wanted: Wanted, answer: Pixels | Flaw | Miss) -> None:
        if isinstance(answer, np.ndarray):
            PICTURE_FETCHES.labels("read").inc()
            item = self._store.keep(wanted, answer)
            if item is not None:
                self._changed(item)
            return
        PICTURE_FETCHES.labels(answer).inc()
        log.info("no picture", extra={"ordinal": wanted.ordinal, "why": str(answer)})
        self._store.put_off(wanted, again=answer in PASSING)
