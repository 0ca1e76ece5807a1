"""Making vectors: for what this process has just stored, and for whatever else lacks one."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from services.item_embedding.catalogue import CatalogueItem, EmbeddedItem, Vectors
from services.item_embedding.encoder import ItemTower, embed
from services.item_embedding.metrics import ITEM_VECTOR_SECONDS

# Of 0.2 kB each; their records come from topic `items` within a second or so.
_REMEMBERED = 20_000


class VectorMaker:
    """Gives items their vectors, and remembers those of late. Safe from any thread.

    publish_new: stores and publishes them.
    """

    def __init__(
        self,
        vectors: Vectors,
        tower: ItemTower,
        publish_new: Callable[[Sequence[EmbeddedItem]], None],
    ) -> None:
        self._vectors = vectors
        self._tower = tower
        self._publish_new = publish_new
        self._lock = threading.Lock()
        self._made: dict[tuple[int, int], str] = {}

    def make(self, ordinals: Collection[int]) -> set[int]:
        """Embeds those that lack a current vector. Returns: which they were.

        Raises: Unavailable while Postgres or Kafka is away.
        """
        lacking = self._vectors.lacking(ordinals)
        if lacking:
            self._publish_new(embed(self._tower, lacking))
            self._remember(lacking)
        return {item.ordinal for item in lacking}

    def made(self, item_id: str, ordinal: int, revision: int) -> bool:
        """Whether this process made the vector of an item at this revision. False where it was
        long ago.
        """
        return self._made.get((ordinal, revision)) == item_id

    def _remember(self, items: Sequence[CatalogueItem]) -> None:
        with self._lock:
            self._made |= {(item.ordinal, item.revision): item.content.item_id for item in items}
            while len(self._made) > _REMEMBERED:
                del self._made[next(iter(self._made))]


class JustStored:
    """Items that wait for their vectors since this process stored them, while callers wait.

    Only a short cut: each of them is on its way through topic `items` too, so that a round that
    fails need not be done again.
    """

    def __init__(self, maker: VectorMaker, clock: Callable[[], float] = time.time) -> None:
        self._maker = maker
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[int, float] = {}

    def put(self, items: Iterable[CatalogueItem]) -> None:
        """From any thread."""
        now = self._clock()
        with self._lock:
            self._waiting.update(dict.fromkeys((item.ordinal for item in items), now))

    def make(self) -> None:
        """Makes the vectors of all that wait. Raises: as `VectorMaker.make`."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        made = self._maker.make(waiting.keys())
        now = self._clock()
        for ordinal in made:
            ITEM_VECTOR_SECONDS.observe(max(0.0, now - waiting[ordinal]))
