"""A ranker of the test's own: items in four categories, a head in numpy, a pretended
user_embedding."""

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.bundle import known
from headrace.bundle.content import ItemContent
from headrace.bundle.table import ItemTable
from headrace.errors import Unavailable
from headrace.index.encoding import Vector
from headrace.index.vector_index import Found
from services.ranker.answers import EventStatus
from services.ranker.catalogue import Catalogue, ItemVersion
from services.ranker.facets import Facets
from services.ranker.lists import ListMaker
from services.ranker.neighbours import Neighbours
from services.ranker.people import LeftOut, People
from services.ranker.scoring import Scorer
from services.ranker.service import Ranker
from services.ranker.trending import Trending
from services.ranker.users import UserCache, UserVector
from tests.contract.index.brute_force import BruteForceIndex

WIDTH = 8
CATEGORIES = ("tea", "coffee", "cocoa", "juice")


class Content:
    """Popularity is in the id: item `i3` has 3. One column a category."""

    def popularity(self, item_id: str) -> float:
        return float(item_id.removeprefix("i"))

    def rows(self, item_ids: Sequence[str]) -> NDArray[np.int64]:
        return np.zeros(len(item_ids), dtype=np.int64)

    def categories(self, items: Sequence[ItemContent]) -> NDArray[np.uint8]:
        rows = [[name in item.categories for name in CATEGORIES] for item in items]
        return np.array(rows, dtype=np.uint8).reshape(len(items), len(CATEGORIES))

    def attributes(self, items: Sequence[ItemContent]) -> Vector:
        return np.zeros((len(items), 1), dtype=np.float32)


def nothing_counted() -> known.KnownItems:
    """As of a model that training told nothing of."""
    nothing = np.zeros(0, dtype=np.int64)
    table = ItemTable(nothing.astype(np.str_), nothing, nothing.astype(np.float32))
    return known.KnownItems(table, known.Neighbours.none(0))


class LatePreference:
    """Prefers what retrieval found last, so that the head's order is seen to count."""

    def __init__(self, ranking: Literal["ncf", "retrieval"] = "ncf") -> None:
        self.ranking = ranking

    def score(
        self,
        user: Vector,
        candidates: Vector,
        recent: Vector,
        recent_mask: Vector,
        features: Vector,
    ) -> tuple[Vector, Vector]:
        assert recent.shape[1] == recent_mask.shape[1] > 0
        preference = (1 / (1 + np.exp(features[:, :, 0]))).astype(np.float32)
        return preference, np.full_like(preference, 3)


class EarlyPreference(LatePreference):
    """Prefers what retrieval found first."""

    def score(
        self,
        user: Vector,
        candidates: Vector,
        recent: Vector,
        recent_mask: Vector,
        features: Vector,
    ) -> tuple[Vector, Vector]:
        preference, rating = super().score(user, candidates, recent, recent_mask, features)
        return 1 - preference, rating


class PretendedUserEmbedding:
    """Answers from a dictionary; `away` makes it fail."""

    def __init__(self) -> None:
        self.vectors: dict[str, UserVector] = {}
        self.events: dict[tuple[str, str], tuple[EventStatus, int]] = {}
        self.away = False
        self.calls: list[str] = []
        self.called = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def user_vector(self, user_id: str) -> UserVector:
        answer = self.vectors.get(user_id, user(user_id, n=0))
        await self._called(f"user_vector {user_id}")
        return answer

    async def session_vector(self, user_id: str | None, ordinals: Sequence[int]) -> UserVector:
        await self._called(f"session_vector {user_id} {list(ordinals)}")
        stored = self.vectors.get(user_id or "", user(user_id or "", n=0))
        visit = user(
            user_id or "", n=stored.n, towards=ordinals[-1], seen=ordinals, recent=ordinals
        )
        return replace(
            visit, unwanted=stored.unwanted, unwanted_categories=stored.unwanted_categories
        )

    async def many(self, user_ids: Sequence[str]) -> list[UserVector]:
        await self._called(f"many {len(user_ids)}")
        return [self.vectors[user_id] for user_id in user_ids if user_id in self.vectors]

    async def page(self, after: str, active_since: float | None, limit: int) -> list[UserVector]:
        await self._called(f"page {after}")
        behind = [self.vectors[user_id] for user_id in sorted(self.vectors) if user_id > after]
        since = active_since or 0.0
        return [one for one in behind if (one.last_occurred_at or 0.0) >= since][:limit]

    async def leave_out(self, user_id: str, items: int) -> LeftOut:
        await self._called(f"leave_out {user_id}")
        known = self.vectors.get(user_id, user(user_id, n=0))
        touched = known.recent[-items:].tolist()
        without = {one: mean_direction([n for n in touched if n != one]) for one in touched}
        whole = mean_direction(touched) if touched else known.vector
        return LeftOut(replace(known, vector=whole), without)

    async def event_status(self, user_id: str, event_id: str) -> tuple[EventStatus, int]:
        await self._called(f"event_status {event_id}")
        return self.events.get((user_id, event_id), (EventStatus.UNKNOWN, 0))

    async def _called(self, what: str) -> None:
        self.calls.append(what)
        self.called.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise Unavailable("user_embedding is away")


def user(
    user_id: str,
    n: int = 1,
    *,
    epoch: int = 0,
    towards: int = 0,
    seen: Sequence[int] = (),
    recent: Sequence[int] = (),
    event_ids: Sequence[str] = (),
) -> UserVector:
    """towards: the ordinal of the item whose category the person likes."""
    vector = direction(towards)
    return UserVector(
        user_id=user_id,
        epoch=epoch,
        n=n,
        vector=vector if n or recent else None,
        recent=np.array(recent, dtype=np.int64),
        seen=BitMap(seen),
        seen_bytes=16,
        event_ids=tuple(event_ids),
        last_occurred_at=1_000.0 + n if n else None,
        last_accepted_at=None,
    )


def direction(ordinal: int) -> Vector:
    """One of four, by category."""
    vector: Vector = np.eye(WIDTH, dtype=np.float32)[ordinal % len(CATEGORIES)]
    return vector


def mean_direction(ordinals: Sequence[int]) -> Vector:
    """Zeros where there are none."""
    vector = np.zeros(WIDTH, dtype=np.float32)
    for ordinal in ordinals:
        vector += direction(ordinal) / len(ordinals)
    return vector


def item(
    ordinal: int,
    *,
    revision: int = 1,
    deleted: bool = False,
    title: str = "",
    categories: tuple[str, ...] = (),
    facets: Facets | None = None,
    publish_at: float = -math.inf,
    expire_at: float = math.inf,
    picture_url: str = "",
) -> ItemVersion:
    """Item `i<ordinal>`; the nearer to its category's direction, the smaller the ordinal."""
    facets = facets or Facets(categories=categories or (CATEGORIES[ordinal % len(CATEGORIES)],))
    return ItemVersion(
        content=ItemContent(
            item_id=f"i{ordinal}",
            title=title or f"Title {ordinal}",
            categories=facets.categories,
        ),
        facets=facets,
        ordinal=ordinal,
        revision=revision,
        deleted=deleted,
        vector=direction(ordinal) * (2 - ordinal / 1_000),
        bias=0.0,
        publish_at=publish_at,
        expire_at=expire_at,
        picture_url=picture_url,
    )


class FindsWhatVanishes(BruteForceIndex):
    """`then` is called once with what was found first, as a change from another thread comes."""

    def __init__(self, width: int, then: Callable[[int], None]) -> None:
        super().__init__(width)
        self._then: Callable[[int], None] | None = then

    def search(self, queries: Vector, k: int, allowed: BitMap | None = None) -> Found:
        found = super().search(queries, k, allowed)
        if self._then is not None:
            then, self._then = self._then, None
            then(int(found.ordinals[0][0]))
        return found


class World:
    """Everything wired together on the running event loop. Items i0 ... i39."""

    def __init__(
        self,
        *,
        items: int = 40,
        candidates: int = 10,
        ranking: Literal["ncf", "retrieval"] = "ncf",
        prefers_first: bool = False,
        first_found_vanishes: bool = False,
    ) -> None:
        index = (
            partial(FindsWhatVanishes, then=self.hide) if first_found_vanishes else BruteForceIndex
        )
        head = EarlyPreference if prefers_first else LatePreference
        self.retrieval = index(WIDTH + 1)
        self.similar = index(WIDTH)
        self.now = 1_000.0
        self.catalogue = Catalogue(
            WIDTH, Content(), self.retrieval, self.similar, clock=lambda: self.now
        )
        self.catalogue.apply([item(ordinal) for ordinal in range(items)])
        self.trending = Trending()
        self.embedding = PretendedUserEmbedding()
        self.cache = UserCache(1_000_000, asyncio.get_running_loop())
        self.people = People(self.cache, self.embedding)
        self.neighbours = Neighbours(self.cache, WIDTH, clock=lambda: self.now)
        self.loaded = True
        self.lists = ListMaker(
            catalogue=self.catalogue,
            retrieval=self.retrieval,
            similar=self.similar,
            scorer=Scorer(head(ranking), self.catalogue, nothing_counted()),
            trending=self.trending,
            neighbours=self.neighbours,
            candidates=candidates,
        )
        self.ranker = Ranker(
            model_version="m1",
            catalogue=self.catalogue,
            people=self.people,
            lists=self.lists,
            neighbours=self.neighbours,
            threads=ThreadPoolExecutor(1),
            loaded=lambda: self.loaded,
        )

    def hide(self, ordinal: int) -> None:
        self.catalogue.apply([item(ordinal, revision=2, deleted=True)])
