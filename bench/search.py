"""Searching a large catalogue: `python -m bench.search`.

Starts a Postgres of its own, fills the catalogue, and asks one search after the other, in the
process: what the doors add is not in the figures. Words are drawn as in text: the n-th most
frequent 1/n as often as the first.
"""

import argparse
import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import percentiles_ms, print_table
from headrace.bundle import ItemContent
from headrace.contracts.items import NewItem, Price
from headrace.index.encoding import Vector
from headrace.local.ports import free_ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.store.database import Database
from headrace.store.migrations import migrate
from services.item_embedding.catalogue_store import CatalogueStore
from services.item_embedding.recent import RecentItems
from services.item_embedding.search import Search
from services.item_embedding.search_store import PostgresSearch

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]
_WORDS = 20_000
_BATCH = 1_000


class Language:
    """Words by frequency, the most frequent first."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        words = {"".join(dice.choices(_SYLLABLES, k=dice.randint(2, 5))) for _ in range(_WORDS * 2)}
        self._words = sorted(words)[:_WORDS]
        dice.shuffle(self._words)
        self._weights = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))

    def some(self, count: int) -> list[str]:
        return self._dice.choices(self._words, cum_weights=self._weights, k=count)


def catalogue(language: Language, dice: random.Random, count: int) -> list[NewItem]:
    return [
        NewItem(
            item_id=f"i{number}",
            title=" ".join(language.some(dice.randint(2, 6))),
            description=" ".join(language.some(30)),
            categories=(f"C{dice.randrange(10)} > D{dice.randrange(10)} > E{dice.randrange(10)}",),
            tags=tuple(language.some(3)),
            attributes={"year": 1950.0 + number % 70},
            text_attributes={"brand": f"Brand {dice.randrange(200)}"},
            price=Price(amount=dice.randrange(100, 100_000), currency="EUR"),
        )
        for number in range(count)
    ]


def fill(pool: Database, items: Sequence[NewItem]) -> float:
    """Returns: items/s stored and indexed, by one writer."""
    store = CatalogueStore(pool, RecentItems())
    began = time.perf_counter()
    for start in range(0, len(items), _BATCH):
        store.upsert(items[start : start + _BATCH])
    taken = time.perf_counter() - began
    with pool.transaction() as cursor:  # as autovacuum does, sooner or later
        cursor.execute("ANALYZE item_search, search_words")
        cursor.execute("UPDATE item_search SET popularity = round(random()::numeric * 9, 1)")
    return len(items) / taken


def kinds(
    language: Language, items: Sequence[NewItem], dice: random.Random
) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is asked, by name."""

    def words(count: int) -> str:
        return " ".join(dice.choice(items).title.split()[:count])

    def slip(word: str) -> str:
        place = dice.randrange(1, len(word) - 1)
        return word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]

    def category() -> dict[str, Any]:
        return {"category": {"one_of": [f"C{dice.randrange(10)}"]}}

    return {
        "one word": lambda: {"query": words(1)},
        "two words": lambda: {"query": words(2)},
        "two words, facets": lambda: {"query": words(2), "facets": True},
        "two words, filter": lambda: {"query": words(2), "filter": category()},
        "mistyped word": lambda: {"query": slip(language.some(1)[0])},
        "a category, facets": lambda: {"filter": category(), "facets": True},
    }


async def measure(search: Search, ask: Callable[[], dict[str, Any]], count: int) -> list[float]:
    """Returns: seconds of each."""
    taken = []
    for _ in range(count):
        body = ask()
        began = time.perf_counter()
        await search.find(body)
        taken.append(time.perf_counter() - began)
    return taken


class NoTower:
    """Nothing is encoded here: every query has its words in some item."""

    model_version = "none"
    width = 1
    embedding_width = 0

    def encode(self, items: Sequence[ItemContent]) -> tuple[Vector, Vector]:
        return np.zeros((len(items), 1), np.float32), np.zeros(len(items), np.float32)


async def run(count: int, searches: int) -> None:
    dice = random.Random(1)
    language = Language(dice)
    items = catalogue(language, dice, count)
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    rows: list[list[str | float]] = []
    with EmbeddedPostgres(folder / "postgres", free_ports(1)[0]) as postgres:
        migrate(postgres.dsn)
        pool = Database(postgres.dsn)
        stored = fill(pool, items)
        search = Search(PostgresSearch(pool), NoTower())
        everything: list[float] = []
        for name, ask in kinds(language, items, dice).items():
            await measure(search, ask, 20)
            taken = await measure(search, ask, searches)
            everything += taken
            rows.append([name, *percentiles_ms(taken)])
        rows.append(["all of them", *percentiles_ms(everything)])
        pool.close()
    shutil.rmtree(folder)
    print_table(
        f"searches among {count:,} items, one after the other ({stored:,.0f} items/s stored)",
        ["", "p50, ms", "p90, ms", "p99, ms"],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--searches", type=int, default=200, help="of each kind")
    given = parser.parse_args()
    asyncio.run(run(given.items, given.searches))


if __name__ == "__main__":
    main()
