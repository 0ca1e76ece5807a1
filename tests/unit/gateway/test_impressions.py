"""What was shown goes to Kafka in batches, and nobody waits for it."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from headrace.api.impressions.v1.impressions_pb2 import ServedList, ServedLists
from headrace.api.ranker.v1 import list_options_pb2, ranker_pb2
from headrace.contracts.filters import Condition, OneTag
from headrace.errors import Unavailable
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Outgoing
from services.gateway.impressions import LISTS, ImpressionLog
from services.gateway.lists import ListedItem
from services.gateway.shown import ShownList


class MemorySink:
    """Keeps records; takes them only while `takes` is set."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.takes = threading.Event()
        self.takes.set()
        self.away = False
        self.closed = False

    def publish(self, records: Sequence[Outgoing]) -> None:
        self.takes.wait(10)
        if self.away:
            raise Unavailable("Kafka is away")
        self.records.extend(records)

    def flush(self, timeout_s: float = 30.0) -> None:
        """Everything is there at once."""

    def close(self) -> None:
        self.closed = True

    def by_record(self) -> list[list[ServedList]]:
        return [list(ServedLists.FromString(record.value or b"").lists) for record in self.records]

    @property
    def lists(self) -> list[ServedList]:
        return [one for lists in self.by_record() for one in lists]


def listed(count: int, user_id: str | None = None) -> ShownList:
    items = [
        ListedItem(f"i{n}", 0.5, f"Item {n}", (), "retrieval", 0.25 if n else None)
        for n in range(count)
    ]
    return ShownList("r-1", user_id, "for_you", "m1", items, personal=True)


def outcomes(outcome: str) -> float:
    return float(LISTS.labels(outcome)._value.get())


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


def test_a_list_is_noted_down_as_it_was_answered(sink: MemorySink) -> None:
    log = ImpressionLog(lambda: sink)
    log.start()
    wanted = Condition(tag=OneTag(one_of=("new",)))
    log.served(replace(listed(2, "ann"), category="Drama", filter=wanted))
    log.close(10)
    (one,) = sink.lists
    assert (one.request_id, one.user_id, one.model_version) == ("r-1", "ann", "m1")
    assert (one.kind, one.category) == (list_options_pb2.LIST_KIND_FOR_YOU, "Drama")
    assert one.filter.tag.one_of == ["new"]
    assert one.personal
    assert one.served_at.seconds > 0
    first, second = one.impressions
    assert (first.item_id, first.score, first.source) == ("i0", 0.5, ranker_pb2.SOURCE_RETRIEVAL)
    assert (first.HasField("propensity"), second.propensity) == (False, 0.25)
    assert sink.closed


def test_lists_of_a_person_share_a_record_in_their_order_and_nobody_elses(
    sink: MemorySink,
) -> None:
    log = ImpressionLog(lambda: sink)
    for n in range(500):
        log.served(listed(n % 20, "ann" if n % 2 else None))
    log.start()
    assert wait_until(lambda: len(sink.lists) == 500, 10)
    log.close(10)
    of_ann = [len(one.impressions) for one in sink.lists if one.user_id == "ann"]
    assert of_ann == [n % 20 for n in range(500) if n % 2]
    assert len(sink.records) < 20
    keys = [(record.key or b"").decode().split("\n")[0] for record in sink.records]
    assert [{one.user_id for one in lists} for lists in sink.by_record()] == [{k} for k in keys]
    assert len({record.key for record in sink.records}) == len(sink.records)


def test_lists_of_who_is_erased_are_not_written_any_more(sink: MemorySink) -> None:
    log = ImpressionLog(lambda: sink)
    for user in ("ann", None, "bob", "ann"):
        log.served(listed(1, user))
    assert log.forget(["ann"]) == 2
    assert log.forget(["ann"]) == 0
    log.start()
    log.close(10)
    assert {one.user_id for one in sink.lists} == {"", "bob"}


def test_a_full_queue_drops_and_counts_instead_of_waiting(sink: MemorySink) -> None:
    dropped = outcomes("dropped")
    log = ImpressionLog(lambda: sink, queued_lists=3)
    for _ in range(5):
        log.served(listed(1))
    assert outcomes("dropped") == dropped + 2
    log.start()
    log.close(10)
    assert len(sink.lists) == 3


def test_a_search_says_that_it_is_one(sink: MemorySink) -> None:
    log = ImpressionLog(lambda: sink)
    log.served(ShownList("r-1", "ann", "search", "", [ListedItem("i0", 0.5, "", (), "search")]))
    log.start()
    log.close(10)
    (one,) = sink.lists
    assert (one.kind, one.model_version) == (list_options_pb2.LIST_KIND_SEARCH, "")
    assert [item.source for item in one.impressions] == [ranker_pb2.SOURCE_SEARCH]


def test_reported_lists_are_written_all_of_them_or_none(sink: MemorySink) -> None:
    log = ImpressionLog(lambda: sink, queued_lists=3)
    log.reported([listed(1), listed(2)])
    with pytest.raises(Unavailable, match="again in a second"):
        log.reported([listed(3), listed(4)])
    log.start()
    log.close(10)
    assert [len(one.impressions) for one in sink.lists] == [1, 2]


def test_what_kafka_does_not_take_is_counted_and_the_next_goes_on(sink: MemorySink) -> None:
    dropped, published = outcomes("dropped"), outcomes("published")
    sink.away = True
    log = ImpressionLog(lambda: sink)
    log.start()
    log.served(listed(1))
    assert wait_until(lambda: outcomes("dropped") == dropped + 1, 10)
    sink.away = False
    log.served(listed(1))
    assert wait_until(lambda: outcomes("published") == published + 1, 10)
    log.close(10)


def test_it_waits_for_kafka_and_ends_without_it() -> None:
    tries: list[int] = []

    def away() -> MemorySink:
        tries.append(1)
        raise Unavailable("Kafka is away")

    log = ImpressionLog(away)
    log.start()
    log.served(listed(1))
    assert wait_until(lambda: bool(tries), 10)
    log.close(10)
    assert "impressions" not in [thread.name for thread in threading.enumerate()]
