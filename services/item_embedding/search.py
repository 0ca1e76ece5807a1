"""The decisions of browsing and searching: which words count, and what to do when none match."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from headrace.bundle import ItemContent
from headrace.contracts.categories import CategoryPath
from headrace.contracts.finding import FindRequest, SuggestRequest
from headrace.contracts.violations import check
from headrace.index.encoding import to_bytes
from services.item_embedding.cursor import read_cursor, write_cursor
from services.item_embedding.encoder import ItemTower
from services.item_embedding.found import (
    Facets,
    Groups,
    Match,
    Page,
    Place,
    Question,
    Reading,
    SearchStore,
)
from services.item_embedding.metrics import SEARCHES
from services.item_embedding.words import keys, nearest, words_of


class _Under(BaseModel):
    under: CategoryPath


class _Misses(BaseModel):
    n: Annotated[int, Field(ge=1, le=1_000)]


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of what was found.

    corrected_query: where words were replaced. query_vector: [D] as little-endian float32 bytes,
    where nothing was found.
    """

    page: Page
    total: int
    facets: Facets | None
    next_cursor: str
    match: Match
    corrected_query: str = ""
    query_vector: bytes = b""


class Search:
    """One implementation for every door. Blocking work runs in threads."""

    def __init__(self, store: SearchStore, tower: ItemTower) -> None:
        self._store = store
        self._tower = tower

    async def find(self, body: Mapping[str, Any]) -> Answer:
        """body: fields of `FindRequest`. Raises: InvalidInput, Unavailable."""
        request = check(FindRequest, body)
        return await asyncio.to_thread(self._find, request)

    async def categories(self, under: str) -> list[tuple[str, int]]:
        """Raises: InvalidInput, Unavailable."""
        path = check(_Under, {"under": under}).under if under else ""
        return await asyncio.to_thread(self._store.categories, path)

    async def suggest(self, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Ids and titles. Raises: InvalidInput, Unavailable."""
        request = check(SuggestRequest, body)
        words = words_of(request.query)
        if not words:
            return []
        return await asyncio.to_thread(self._suggest, words, request.n)

    async def misses(self, n: int) -> list[tuple[str, int]]:
        """Raises: InvalidInput, Unavailable."""
        return await asyncio.to_thread(self._store.misses, check(_Misses, {"n": n}).n)

    def _find(self, request: FindRequest) -> Answer:
        after: Place | None = None
        if request.cursor:
            reading, after = read_cursor(request)
            total = self._store.total(_question(request, reading))
        else:
            reading, total = self._read(request)
            if request.query:
                SEARCHES.labels(reading.match).inc()
        if reading.match == "none":
            return self._nothing(request)
        question = _question(request, reading)
        page = self._store.page(question, request.n, after)
        return Answer(
            page=page,
            total=total,
            facets=self._store.facets(question) if request.facets else None,
            next_cursor="" if page.end is None else write_cursor(request, reading, page.end),
            match=reading.match,
            corrected_query=reading.corrected_query,
        )

    def _read(self, request: FindRequest) -> tuple[Reading, int]:
        """All words as they are, else with mistyped ones replaced, else any of them; and how many
        items there are then."""
        if not request.query:
            reading = Reading(None, "")
            return reading, self._store.total(_question(request, reading))
        words = words_of(request.query)
        for reading in self._readings(words):
            total = self._store.total(_question(request, reading))
            if total:
                return reading, total
        return Reading((), "none"), 0

    def _readings(self, words: Sequence[str]) -> Iterator[Reading]:
        if not words:
            return
        exact: Groups = tuple((word,) for word in words)
        yield Reading(exact, "all_words")
        groups = self._corrected(words)
        if groups != exact:
            corrected = " ".join(group[0] for group in groups)
            yield Reading(groups, "corrected", corrected)
        if len(words) > 1:
            yield Reading((tuple(word for group in groups for word in group),), "some_words")

    def _corrected(self, words: Sequence[str]) -> Groups:
        known = self._store.known(words)
        return tuple(
            (word,) if word in known else tuple(self._replacements(word)) or (word,)
            for word in words
        )

    def _replacements(self, word: str) -> list[str]:
        reachable = keys(word)
        return nearest(word, self._store.near(word, reachable)) if reachable else []

    def _suggest(self, words: list[str], n: int) -> list[tuple[str, str]]:
        found = self._store.titles(words, n)
        if found:
            return found
        corrected = [group[0] for group in self._corrected(words)]
        return [] if corrected == words else self._store.titles(corrected, n)

    def _nothing(self, request: FindRequest) -> Answer:
        self._store.miss(" ".join(words_of(request.query)))
        # An item that training never saw, of which there is nothing but a title.
        vectors, _ = self._tower.encode([ItemContent("", request.query)])
        return Answer(
            page=Page([], None),
            total=0,
            facets=Facets(0) if request.facets else None,
            next_cursor="",
            match="none",
            query_vector=to_bytes(vectors[0]),
        )


def _question(request: FindRequest, reading: Reading) -> Question:
    return Question(reading.groups, request.filter, request.order)
