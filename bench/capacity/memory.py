"""What a process holds for each item and each person: memory at several sizes, in the objects that
the services use, each size in a process of its own."""

import asyncio
import gc
import multiprocessing
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
from pyroaring import BitMap

from bench.capacity.lines import Line, line_through
from headrace.api.vectors.v1 import vectors_pb2 as vectors
from headrace.bundle import Bundle
from headrace.index.choice import index_by_size
from headrace.index.encoding import from_bytes
from services.ranker.catalogue import Catalogue
from services.ranker.messages import item_version, user_vector
from services.ranker.users import UserCache
from services.user_embedding.cache import StateCache, size_of
from services.user_embedding.memory import RECENT_EVENTS, RECENT_ITEMS
from services.user_embedding.states import UserState

_BATCH = 500
_UNBOUNDED = 10**15
# What somebody has bought, liked or rated, who does that now and then.
_SEEN = 100
_OF_ITEMS = 1_000_000
_WORDS = ("quiet", "river", "mountain", "yellow", "iron", "garden", "old", "summer", "paper", "sea")


class Held(NamedTuple):
    """Bytes: resident at the end and at most meanwhile, both beyond what the process had before;
    and what the cache itself believes it holds, 0 where it counts nothing."""

    resident: int
    most: int
    counted: int


class Cost(NamedTuple):
    """Bytes of each item or person."""

    what: str
    sizes: Sequence[int]
    resident: Line
    most: Line
    counted: Line


def costs(bundle: Path, scale: float) -> Iterator[Cost]:
    """One after the other. scale: of the sizes, 1 for those that the guide is written from."""
    measured: dict[str, tuple[Callable[[str, int], Held], Sequence[int]]] = {
        "item": (partial(catalogue, exact=True), (12_500, 25_000, 50_000)),
        "item, HNSW": (partial(catalogue, exact=False), (5_000, 10_000, 20_000)),
        "person in ranker": (people_cached, (5_000, 10_000, 20_000)),
        "person in user_embedding": (states_cached, (2_500, 5_000, 10_000)),
    }
    for what, (measure, of_sizes) in measured.items():
        sizes = [max(2, int(size * scale)) for size in of_sizes]
        # A new process each: what another size left behind would be taken for free memory.
        with ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), max_tasks_per_child=1
        ) as alone:
            held = list(alone.map(measure, [str(bundle)] * len(sizes), sizes))
        resident, most, counted = (
            line_through(sizes, values) for values in zip(*held, strict=True)
        )
        yield Cost(what, sizes, resident, most, counted)


def catalogue(bundle_url: str, size: int, *, exact: bool) -> Held:
    """As a ranker reads it from Kafka."""
    bundle = Bundle.load(bundle_url, ["ranker"])
    width, most_exact = bundle.width, size if exact else 0
    before = _resident()
    retrieval, similar = (index_by_size(w, most_exact) for w in (width + 1, width))
    held = Catalogue(width, bundle.items, retrieval, similar)
    for start in range(0, size, _BATCH):
        ordinals = range(start, min(start + _BATCH, size))
        held.apply(
            [
                item_version(vectors.ItemVector.FromString(_item(ordinal, width)), width)
                for ordinal in ordinals
            ]
        )
    retrieval.close()
    similar.close()
    return _held(before, 0)


def people_cached(bundle_url: str, size: int) -> Held:
    """As a ranker gets them from user_embedding."""
    width = Bundle.load(bundle_url, ["ranker"]).user_width
    before = _resident()
    cache = UserCache(_UNBOUNDED, asyncio.new_event_loop())
    for number in range(size):
        sent = vectors.UserVector.FromString(_person(number, width))
        cache.offer(user_vector(sent, width))
    return _held(before, cache.size_bytes)


def states_cached(bundle_url: str, size: int) -> Held:
    """As user_embedding reads them from Postgres."""
    manifest = Bundle.load(bundle_url, ["ranker"]).manifest
    before = _resident()
    cache = StateCache(_UNBOUNDED)
    counted = 0
    for number in range(size):
        state = _state(number, manifest.state_width, manifest.user_width)
        cache.put([(state, 0)])
        counted += size_of(state)
    return _held(before, counted)


def _item(ordinal: int, width: int) -> bytes:
    """An item as shops have them: two categories, three tags, two numbers, two texts, a price."""
    draw = random.Random(ordinal)
    sent = vectors.ItemVector(width=width, bias=0.5)
    sent.change.ordinal, sent.change.revision = ordinal, 1
    item = sent.change.item
    item.item_id = f"sku-{ordinal:08}"
    item.title = " ".join(draw.choices(_WORDS, k=5))
    for _ in range(2):
        item.categories.append(f"{draw.choice(_WORDS)} > {draw.choice(_WORDS)}")
    item.tags.extend(draw.sample(_WORDS, 3))
    item.attributes.update({"year": 1950 + ordinal % 70, "weight_kg": draw.random()})
    item.text_attributes.update({"brand": draw.choice(_WORDS), "colour": draw.choice(_WORDS)})
    item.price.amount, item.price.currency = draw.randrange(100, 100_000), "EUR"
    item.picture_url = f"https://pictures.example/items/sku-{ordinal:08}.webp"
    sent.vector = np.random.default_rng(ordinal).standard_normal(width, dtype=np.float32).tobytes()
    return sent.SerializeToString()


def _person(number: int, width: int) -> bytes:
    """Somebody with a full memory: 50 recent items, 16 recent events, 100 items seen."""
    draw = random.Random(number)
    sent = vectors.UserVector(user_id=f"person-{number:08}", n=200, width=width)
    sent.vector = np.random.default_rng(number).standard_normal(width, dtype=np.float32).tobytes()
    sent.recent_ordinals.extend(draw.sample(range(_OF_ITEMS), RECENT_ITEMS))
    sent.seen = BitMap(draw.sample(range(_OF_ITEMS), _SEEN)).serialize()
    sent.recent_event_ids.extend(uuid4().hex for _ in range(RECENT_EVENTS))
    sent.last_occurred_at.GetCurrentTime()
    sent.last_accepted_at.GetCurrentTime()
    return sent.SerializeToString()


def _state(number: int, state_width: int, width: int) -> UserState:
    """The same person in user_embedding."""
    draw, now = random.Random(number), datetime.now(UTC)
    numbers = np.random.default_rng(number).standard_normal(state_width + width, dtype=np.float32)
    return UserState(
        user_id=f"person-{number:08}",
        epoch=0,
        n=200,
        state=from_bytes(numbers[:state_width].tobytes(), state_width),
        vector=from_bytes(numbers[state_width:].tobytes(), width),
        recent_ordinals=tuple(draw.sample(range(_OF_ITEMS), RECENT_ITEMS)),
        seen=BitMap.deserialize(BitMap(draw.sample(range(_OF_ITEMS), _SEEN)).serialize()),
        recent_event_ids=tuple(uuid4().hex for _ in range(RECENT_EVENTS)),
        last_occurred_at=now,
        last_accepted_at=now,
        unwanted=BitMap(),
        unwanted_categories=(),
    )


def _held(before: int, counted: int) -> Held:
    gc.collect()
    return Held(_resident() - before, _status("VmHWM") - before, counted)


def _resident() -> int:
    return _status("VmRSS")


def _status(name: str) -> int:
    """Bytes, as Linux tells them of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [kib] = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(kib) * 1024
