"""Searching a large catalogue: `python -m bench.search`.

Starts item_embedding with a Kafka and a Postgres of its own, both empty, fills the catalogue, asks
one search after the other over gRPC, and stops them afterwards. Words are drawn as in text: the
n-th most frequent 1/n as often as the first. Without `--bundle` it makes the toy bundle.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import grpc

from bench.catalogue import Target, running
from bench.report import percentiles_ms, print_table
from headrace.api.catalogue.v1.catalogue_pb2 import Item, Price
from headrace.api.item_embedding.v1.item_embedding_pb2 import (
    FindItemsRequest,
    SuggestItemsRequest,
    UpsertItemsRequest,
)
from headrace.api.item_embedding.v1.item_embedding_pb2_grpc import ItemEmbeddingServiceStub
from headrace.api.ranker.v1 import filter_pb2

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]
_WORDS = 20_000
_BATCH = 1_000
_DEADLINE_S = 300.0


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


def catalogue(language: Language, dice: random.Random, count: int) -> list[Item]:
    return [
        Item(
            item_id=f"i{number}",
            title=" ".join(language.some(dice.randint(2, 6))),
            description=" ".join(language.some(30)),
            categories=[f"C{dice.randrange(10)} > D{dice.randrange(10)} > E{dice.randrange(10)}"],
            tags=language.some(3),
            attributes={"year": 1950 + number % 70},
            text_attributes={"brand": f"Brand {dice.randrange(200)}"},
            price=Price(amount=dice.randrange(100, 100_000), currency="EUR"),
        )
        for number in range(count)
    ]


def fill(target: Target, items: Sequence[Item]) -> float:
    """Returns: items/s stored."""
    stub = ItemEmbeddingServiceStub(grpc.insecure_channel(target.address))
    batches = [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as callers:
        list(
            callers.map(
                lambda batch: stub.UpsertItems(
                    UpsertItemsRequest(items=batch), timeout=_DEADLINE_S
                ),
                batches,
            )
        )
    return len(items) / (time.perf_counter() - began)


def kinds(
    language: Language, items: Sequence[Item], dice: random.Random
) -> dict[str, Callable[[], FindItemsRequest | SuggestItemsRequest]]:
    """What is asked, by name."""

    def words(count: int) -> str:
        return " ".join(dice.choice(items).title.split()[:count])

    def slip(word: str) -> str:
        place = dice.randrange(1, len(word) - 1)
        return word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]

    def filtered() -> filter_pb2.Filter:
        in_category = filter_pb2.OneOf(one_of=[f"C{dice.randrange(10)}"])
        return filter_pb2.Filter(category=in_category)

    return {
        "one word": lambda: FindItemsRequest(query=words(1), n=24),
        "two words": lambda: FindItemsRequest(query=words(2), n=24),
        "two words, facets": lambda: FindItemsRequest(query=words(2), n=24, facets=True),
        "two words, filter": lambda: FindItemsRequest(query=words(2), n=24, filter=filtered()),
        "mistyped word": lambda: FindItemsRequest(query=slip(language.some(1)[0]), n=24),
        "category, facets": lambda: FindItemsRequest(filter=filtered(), n=24, facets=True),
        "suggest": lambda: SuggestItemsRequest(query=words(2)[:-1], n=8),
    }


def measure(
    target: Target, ask: Callable[[], FindItemsRequest | SuggestItemsRequest], count: int
) -> list[float]:
    """Returns: seconds of each."""
    stub = ItemEmbeddingServiceStub(grpc.insecure_channel(target.address))
    taken = []
    for _ in range(count):
        request = ask()
        began = time.perf_counter()
        if isinstance(request, FindItemsRequest):
            stub.FindItems(request, timeout=_DEADLINE_S)
        else:
            stub.SuggestItems(request, timeout=_DEADLINE_S)
        taken.append(time.perf_counter() - began)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", help="URL of a bundle")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--searches", type=int, default=200, help="of each kind")
    given = parser.parse_args()
    dice = random.Random(1)
    language = Language(dice)
    items = catalogue(language, dice, given.items)
    rows: list[list[str | float]] = []
    with running(given.bundle) as target:
        stored = fill(target, items)
        everything: list[float] = []
        for name, ask in kinds(language, items, dice).items():
            measure(target, ask, 20)
            taken = measure(target, ask, given.searches)
            everything += taken
            rows.append([name, *percentiles_ms(taken)])
        rows.append(["all of them", *percentiles_ms(everything)])
    print_table(
        f"item_embedding: searches among {given.items} items, one after the other"
        f" ({stored:.0f} items/s stored)",
        ["", "p50, ms", "p90, ms", "p99, ms"],
        rows,
    )


if __name__ == "__main__":
    main()
