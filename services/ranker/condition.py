"""What a ranker has loaded, and how it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from headrace.bundle.manifest import Manifest
from headrace.index.vector_index import IndexSizes, VectorIndex
from services.ranker.catalogue import Catalogue
from services.ranker.trending import Trending
from services.ranker.users import UserCache


class Reader(Protocol):
    """Follows a topic."""

    @property
    def topic(self) -> str: ...

    @property
    def lag(self) -> int | None:
        """Records before it; None where that is not known yet."""

    def caught_up(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """How far a reader is behind its topic. lag: None where that is not known yet."""

    topic: str
    caught_up: bool
    lag: int | None


@dataclass(frozen=True, slots=True)
class RankerStatus:
    """Times are Unix seconds. trending_loaded_at: None until it is. filters: that are kept
    evaluated."""

    manifest: Manifest
    started_at: float
    items_known: int
    items_shown: int
    indexes: Mapping[str, IndexSizes]
    people: int
    people_bytes: int
    people_max_bytes: int
    filters: int
    trending_items: int
    trending_loaded_at: float | None
    readers: tuple[ReaderStatus, ...]


@dataclass(frozen=True)
class Condition:
    """Of one process. filters: how many are kept now."""

    manifest: Manifest
    started_at: float
    catalogue: Catalogue
    indexes: Mapping[str, VectorIndex]
    cache: UserCache
    filters: Callable[[], int]
    trending: Trending
    readers: Sequence[Reader]

    def now(self) -> RankerStatus:
        return RankerStatus(
            manifest=self.manifest,
            started_at=self.started_at,
            items_known=len(self.catalogue.known),
            items_shown=len(self.catalogue.view.live),
            indexes={name: index.sizes() for name, index in self.indexes.items()},
            people=len(self.cache),
            people_bytes=self.cache.size_bytes,
            people_max_bytes=self.cache.max_bytes,
            filters=self.filters(),
            trending_items=len(self.trending.now.ordinals),
            trending_loaded_at=self.trending.loaded_at,
            readers=tuple(
                ReaderStatus(reader.topic, reader.caught_up(), reader.lag)
                for reader in self.readers
            ),
        )
