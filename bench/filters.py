"""Lists of 20 of 100,000 items, with filters that keep less and less: `python -m bench.filters`.

Runs the ranker's list maker in this process: 300 candidates, the toy bundle's head. `first` is the
time to evaluate the filter, which happens once until the catalogue changes.
"""

import argparse
import asyncio
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import tempfile
import time
from typing import Any

import faiss
import numpy as np
from pyroaring import BitMap

from bench.index import clustered
from bench.report import percentiles_ms, print_table
from headrace.bundle import Bundle
from headrace.bundle.content import ItemContent
from headrace.contracts.filters import Condition
from headrace.index.choice import index_by_size
from headrace.index.encoding import Vector
from headrace.training.toy import make_toy_bundle
from services.ranker.catalogue import Catalogue, ItemVersion
from services.ranker.facets import Facets
from services.ranker.lists import ListMaker
from services.ranker.neighbours import Neighbours
from services.ranker.query import RecommendQuery
from services.ranker.scoring import Scorer
from services.ranker.trending import Trending
from services.ranker.users import UserCache, UserVector

WIDTH = 64
_BATCH = 500
FILTERS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "half: a number": {"number": {"name": "year", "lt": 2000}},
    "10 %: a category": {"category": {"one_of": ["Shop > Shelf 3"]}},
    "1 %: a tag": {"tag": {"one_of": ["t7"]}},
    "1 %: price, tags, not a brand": {
        "all": [
            {"price": {"currency": "EUR", "gte": 1_000, "lt": 2_000}},
            {"any": [{"tag": {"one_of": [f"t{n}" for n in range(11)]}}]},
            {"none": [{"text": {"name": "brand", "one_of": ["b1"]}}]},
        ]
    },
    "0.1 %: two numbers": {
        "all": [
            {"number": {"name": "year", "eq": 1990}},
            {"number": {"name": "weight", "lt": 0.1}},
        ]
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--exact-up-to", type=int, default=100_000, help="beyond: HNSW")
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    lists, asked = _shop(options.items, options.queries, options.exact_up_to)
    people = [_person(f"p{n}", vector, options.items) for n, vector in enumerate(asked[:, :WIDTH])]
    measured = {name: _measure(lists, people, condition) for name, condition in FILTERS.items()}
    plain = measured["none"][3]
    print_table(
        f"Lists of 20 of {options.items:,} items for {options.queries} people",
        ["filter", "items that pass", "full lists", "first ms", "p50 ms", "p99 ms", "of plain"],
        [[name, *row, row[3] / plain] for name, row in measured.items()],
    )


def _measure(
    lists: ListMaker, people: list[UserVector], condition: dict[str, Any] | None
) -> tuple[int, int, float, float, float]:
    """Items that pass, full lists, ms of the first evaluation, p50 and p99 ms."""
    passed = None if condition is None else Condition.model_validate(condition)
    query = RecommendQuery(n=20, filter=passed)
    began = time.perf_counter()
    allowed = lists.allowed(query, None)
    first = 1e3 * (time.perf_counter() - began)
    seconds, full = [], 0
    for person in people:
        began = time.perf_counter()
        items = lists.make(query, person).items
        seconds.append(time.perf_counter() - began)
        full += len(items) == 20
    p50, _, p99 = percentiles_ms(seconds)
    return len(allowed), full, first, p50, p99


def _shop(items: int, queries: int, exact_up_to: int) -> tuple[ListMaker, Vector]:
    vectors, asked = clustered(items, queries)
    with tempfile.TemporaryDirectory() as folder:
        make_toy_bundle(folder, width=WIDTH)
        bundle = Bundle.load(folder, ["ranker"])
    retrieval = index_by_size(WIDTH + 1, exact_up_to)
    similar = index_by_size(WIDTH, exact_up_to)
    catalogue = Catalogue(WIDTH, bundle.items, retrieval, similar)
    random = np.random.default_rng(2)
    weights, prices = random.random(items), random.integers(0, 10_000, items)
    for start in range(0, items, _BATCH):
        catalogue.apply(
            [
                _item(n, vectors[n], float(weights[n]), int(prices[n]))
                for n in range(start, min(items, start + _BATCH))
            ]
        )
    retrieval.close()
    similar.close()
    lists = ListMaker(
        catalogue=catalogue,
        retrieval=retrieval,
        similar=similar,
        scorer=Scorer(bundle.ranker, catalogue, bundle.known),
        trending=Trending(),
        neighbours=Neighbours(UserCache(1_000, asyncio.new_event_loop()), WIDTH),
        candidates=300,
    )
    return lists, asked


def _item(ordinal: int, vector: Vector, weight: float, price: int) -> ItemVersion:
    facets = Facets(
        categories=(f"Shop > Shelf {ordinal % 10} > Board {ordinal % 70}",),
        tags=(f"t{ordinal % 100}",),
        numbers={"year": 1980.0 + ordinal % 40, "weight": weight},
        texts={"brand": f"b{ordinal % 30}"},
        price=(price, "EUR"),
    )
    content = ItemContent(f"i{ordinal}", f"Item {ordinal}", "", facets.categories)
    return ItemVersion(
        content, facets, ordinal, 1, False, vector[:WIDTH], float(vector[-1]) / WIDTH
    )


def _person(user_id: str, vector: Vector, items: int) -> UserVector:
    random = np.random.default_rng(int(user_id[1:]))
    return UserVector(
        user_id=user_id,
        epoch=0,
        n=50,
        vector=vector,
        recent=random.integers(0, items, 50),
        seen=BitMap(random.integers(0, items, 200)),
        seen_bytes=400,
        event_ids=(),
        last_occurred_at=0.0,
        last_accepted_at=None,
    )


if __name__ == "__main__":
    main()
