"""What a ranker does with item vectors, in a process of its own: when each item can be found."""

import multiprocessing
import time
from collections.abc import Sequence
from functools import partial
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from bench.passage import Times
from headrace.bundle import Bundle
from headrace.index.choice import exact_index
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_reader import TopicReader
from headrace.runtime.kafka_records import Message
from headrace.runtime.topics import item_vectors
from services.ranker import feeds
from services.ranker.catalogue import Catalogue, ItemVersion

_STOP_S = 30.0


class Follower:
    """Reads item vectors as a ranker does, into the same indexes, while it is entered."""

    def __init__(self, kafka: str, bundle: str) -> None:
        # Spawned: a fork would copy threads' locks as they are.
        processes = multiprocessing.get_context("spawn")
        self._pipe, theirs = processes.Pipe()
        self._process = processes.Process(target=_follow, args=(kafka, bundle, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.send(None)
        self._process.join(_STOP_S)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "not entered"
        return self._process.pid

    def found_at(self, count: int, within_s: float) -> Times:
        """When each item could first be found, once there are `count` of them.

        Returns: those that there are after `within_s`.
        """
        self._pipe.send((count, within_s))
        found: Times = self._pipe.recv()
        return found


def _follow(kafka: str, bundle_url: str, pipe: Connection) -> None:
    bundle = Bundle.load(bundle_url, ["ranker"])
    retrieval, similar = exact_index(bundle.width + 1), exact_index(bundle.width)
    apply = feeds.item_sink(Catalogue(bundle.width, bundle.items, retrieval, similar))
    found: Times = {}

    def note(batch: Sequence[Message[ItemVersion]]) -> None:
        apply(batch)
        now = time.time()
        for message in batch:
            found.setdefault(message.body.content.item_id, now)

    reader: TopicReader[ItemVersion] = TopicReader(
        bootstrap_servers=kafka,
        topic=item_vectors(bundle.model_version),
        since="beginning",
        decode=feeds.item_decoder(bundle.model_version, bundle.width),
        apply=note,
        publisher=None,
        on_failure=_raise,
    )
    reader.start()
    while (asked := pipe.recv()) is not None:
        count, within_s = asked
        wait_until(partial(_enough, found, count), within_s)
        pipe.send(dict(found))
    reader.stop(_STOP_S)


def _enough(found: Times, count: int) -> bool:
    return len(found) >= count


def _raise(error: BaseException) -> None:
    raise error
