"""What Kafka brings: clicks and served lists, and garbage that must not stop anybody."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import REGISTRY

from headrace.api.events.v1.events_pb2 import EVENT_TYPE_CLICK, Interaction
from headrace.api.impressions.v1.impressions_pb2 import Impression, ServedList, ServedLists
from headrace.api.ranker.v1.list_options_pb2 import LIST_KIND_SEARCH
from headrace.api.ranker.v1.ranker_pb2 import SOURCE_RETRIEVAL, SOURCE_SEARCH, SOURCE_TRENDING
from headrace.runtime.kafka_records import Message, Record
from services.ranker.accuracy.clicks import Click, read_click
from services.ranker.accuracy.feed import ListSink, read_lists, unharmed
from services.ranker.accuracy.sampling import Panel
from services.ranker.accuracy.shown import Shown, ShownItem, ShownList
from services.ranker.accuracy.variety import Variety
from tests.unit.ranker.accuracy.reading import Since
from tests.unit.ranker.world import World

FAILURES = ("headrace_round_failures_total", {"name": "live_accuracy"})


class Everybody:
    def owns(self, key: bytes) -> bool:
        return key != b"elsewhere"


class Noting(Shown):
    def __init__(self) -> None:
        super().__init__(600, 10)
        self.lists: list[ShownList] = []

    def show(self, shown: ShownList) -> None:
        self.lists.append(shown)


def record(value: bytes | None) -> Record:
    return Record("topic", 0, 0, 0, b"key", value)


def test_a_click_is_read_whole() -> None:
    message = Interaction(
        user_id="ann",
        n=4,
        event_id="e4",
        item_ordinal=9,
        type=EVENT_TYPE_CLICK,
        occurred_at=Timestamp(seconds=50),
        accepted_at=Timestamp(seconds=60, nanos=500_000_000),
        epoch=2,
    )
    read = read_click(record(message.SerializeToString()))
    assert read == Click("ann", 2, 4, "e4", 9, 2, 60.5, backfill=False)
    assert read is not None
    assert read.before == (2, 3)
    message.ClearField("accepted_at")
    read = read_click(record(message.SerializeToString()))
    assert read is not None
    assert read.at == 50


def test_garbage_is_passed_over() -> None:
    values: Sequence[bytes | None] = (None, b"", b"\xff\xff garbage", b"\x0a\x03ann")
    assert [read_click(record(value)) for value in values] == [None] * 4
    assert read_lists(record(b"\xff\xff garbage")) is None


async def test_served_lists_are_taken_of_those_who_are_looked_at_here() -> None:
    world, shown, since = World(items=5), Noting(), Since()
    sink = ListSink(
        "m1",
        Panel(1.0),
        Everybody(),
        shown=shown,
        variety=Variety(world.catalogue),
        ordinal_of=world.catalogue.known_ordinal,
    )
    lists = [
        ServedList(
            user_id=user_id,
            served_at=Timestamp(seconds=70, nanos=250_000_000),
            model_version="m1",
            impressions=[
                Impression(item_id="i3", score=0.25, source=SOURCE_RETRIEVAL),
                Impression(item_id="unknown", score=0.2, source=SOURCE_RETRIEVAL),
                Impression(item_id="i1", score=3.0, source=SOURCE_TRENDING),
            ],
        )
        for user_id in ("ann", "", "elsewhere")
    ]
    lists.append(ServedList(user_id="ann", model_version="released beside it"))
    found = [Impression(item_id="i2", score=0.5, source=SOURCE_SEARCH)]
    lists.append(
        ServedList(
            user_id="ann",
            served_at=Timestamp(seconds=80),
            model_version="m1",
            kind=LIST_KIND_SEARCH,
            impressions=found,
        )
    )
    body = read_lists(record(ServedLists(lists=lists).SerializeToString()))
    sink([Message(record(b""), body), Message(record(b""), None)])
    assert shown.lists == [
        ShownList(
            "ann",
            70.25,
            "m1",
            [ShownItem(3, 1, "retrieval", 0.25), ShownItem(1, 3, "trending", None)],
        ),
        ShownList("ann", 80.0, "m1", [ShownItem(2, 1, "search", None)]),
    ]
    assert since.counted("shown_lists", outcome="nobody") == 1
    assert since.counted("shown_lists", outcome="elsewhere") == 2
    assert since.counted("novelty_items") == 6


async def test_people_outside_the_panel_are_counted_and_passed_over() -> None:
    world, shown, since = World(items=5), Noting(), Since()
    sink = ListSink(
        "m1",
        Panel(0.0),
        Everybody(),
        shown=shown,
        variety=Variety(world.catalogue),
        ordinal_of=world.catalogue.known_ordinal,
    )
    sink([Message(record(b""), ServedLists(lists=[ServedList(user_id="ann", model_version="m1")]))])
    assert shown.lists == []
    assert since.counted("shown_lists", outcome="not_sampled") == 1


def test_an_error_of_ours_loses_measurements_and_no_record() -> None:
    def broken(messages: Sequence[Message[None]]) -> None:
        raise RuntimeError("no such counter")

    before = REGISTRY.get_sample_value(*FAILURES) or 0.0
    assert unharmed(broken)([Message(record(b""), None)]) == ()
    assert REGISTRY.get_sample_value(*FAILURES) == before + 1
