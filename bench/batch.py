"""People a second of `headrace batch`'s computation, by candidates: `python -m bench.batch`.

One process, one thread: lists of 10 for people with 50 recent items and 150 seen ones. With
`--bundle` the items are the ones it was trained on, else 3,700 with 128 neighbours each by chance,
and the head has arbitrary weights. Processor time, so that others on the machine count little.
Postgres is not part of it: that is `bench.batch_command`.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyroaring import BitMap

from bench.report import print_table
from headrace.batch.files import write_lists
from headrace.batch.items import ItemArrays, StoredItem
from headrace.batch.lists import ListMaker
from headrace.batch.people import People
from headrace.bundle import Bundle, ItemContent
from headrace.bundle.known import LINKS, Neighbours
from headrace.index.encoding import to_bytes
from headrace.training.toy import make_toy_bundle, toy_items


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", help="folder of a trained one; without: arbitrary weights")
    parser.add_argument("--items", type=int, default=3_700)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--candidates", type=int, nargs="+", default=[300, 100, 50, 30])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle, stored = catalogue(options.bundle, Path(folder), options.items)
        items = ItemArrays(bundle, stored)
        people = crowd(options.people, len(items), bundle.user_width)
        rows = []
        for candidates in options.candidates:
            maker = ListMaker(bundle, items, n=10, candidates=candidates)
            maker.make(people)  # the first run allocates
            began = time.process_time()
            lists = maker.make(people)
            made = time.process_time() - began
            write_lists(Path(folder) / "part.parquet", people, lists, items)
            written = time.process_time() - began - made
            rows.append(
                [
                    candidates,
                    round(len(people) / made),
                    1e6 * made / len(people),
                    1e6 * written / len(people),
                ]
            )
    print_table(
        f"Lists of 10 of {len(items):,} items for {options.people:,} people, one core",
        ["candidates", "people/s of CPU", "us each", "us each, to Parquet"],
        rows,
    )


def catalogue(url: str | None, folder: Path, count: int) -> tuple[Bundle, Sequence[StoredItem]]:
    """The items that the bundle at `url` was trained on, with arbitrary vectors; without it so many
    of a bundle that is made in `folder`."""
    contents = toy_items(count)
    random = np.random.default_rng(1)
    if url is None:
        neighbours = _neighbours(count, random)
        make_toy_bundle(folder / "bundle", contents, width=64, neighbours=neighbours)
    bundle = Bundle.load(url or str(folder / "bundle"), ["ranker"])
    if url is not None:
        contents = [ItemContent(str(item_id)) for item_id in bundle.known.table.ids]
    vectors = random.normal(size=(len(contents), bundle.width)).astype(np.float32)
    stored = [
        StoredItem(ordinal, content, to_bytes(vectors[ordinal]), 0.0, True)
        for ordinal, content in enumerate(contents)
    ]
    return bundle, stored


def _neighbours(items: int, random: np.random.Generator) -> Neighbours:
    """The commoner an item, the more others it follows."""
    shape = (len(LINKS), items + 1, min(128, items))  # so many does training keep
    rows = 1 + (items * random.random(shape) ** 2).astype(np.int32)
    strengths = 0.1 * random.random(shape, dtype=np.float32)
    rows[:, 0] = strengths[:, 0] = 0
    return Neighbours(rows, strengths)


def crowd(people: int, items: int, width: int) -> People:
    """People with 50 recent items each, of ordinals below `items`, and 150 that they have seen."""
    random = np.random.default_rng(2)
    return People(
        np.array([f"p{person}" for person in range(people)], dtype=np.object_),
        random.normal(size=(people, width)).astype(np.float32),
        random.integers(0, items, (people, 50)),
        [BitMap(random.integers(0, items, 150).tolist()) for _ in range(people)],
        np.ones(people, dtype=np.int64),
        np.zeros(people),
    )


if __name__ == "__main__":
    main()
