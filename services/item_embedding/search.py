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
    Finding,
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
        if request.cursor:
            reading, after = read_cursor(request)
            found: Finding | None = self._ask(request, reading, after)
        else:
            reading, found = self._read(request)
            if request.query:
                SEARCHES.labels(reading.match).inc()
        if found is None:
            return self._nothing(request)
        end = found.page.end
        return Answer(
            page=found.page,
            total=found.total,
            facets=found.facets,
            next_cursor="" if end is None else write_cursor(request, reading, end),
            match=reading.match,
            corrected_query=reading.corrected_query,
        )

    def _read(self, request: FindRequest) -> tuple[Reading, Finding | None]:
        """All words as they are, else with mistyped ones replaced, else any of them; and what is
        found then."""
        if not request.query:
            reading = Reading(None, "")
            return reading, self._ask(request, reading)
        words = words_of(request.query)
        for reading in self._readings(words):
            found = self._ask(request, reading)
            if found.total:
                return reading, found
        return Reading((), "none"), None

    def _ask(self, request: FindRequest, reading: Reading, after: Place | None = None) -> Finding:
        question = Question(reading.groups, request.filter, request.order)
        return self._store.find(question, request.n, after, facets=request.facets)

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
