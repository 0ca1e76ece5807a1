"""Live accuracy on real Kafka: clicks and served lists come, figures are those of the hand."""

import math
import time

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.events.v1.events_pb2 import (
    EVENT_TYPE_CLICK,
    EVENT_TYPE_DISLIKE,
    EVENT_TYPE_PURCHASE,
    Interaction,
)
from headrace.api.impressions.v1.impressions_pb2 import Impression, ServedList, ServedLists
from headrace.api.ranker.v1.ranker_pb2 import SOURCE_RETRIEVAL
from headrace.local.waiting import wait_until
from headrace.runtime.topics import IMPRESSIONS, INTERACTIONS
from tests.integration.ranker.running import RankerProcess
from tests.service_process import DEADLINE_S

LIKES = 2
N = 20


def now() -> Timestamp:
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp


def did(
    running: RankerProcess, user_id: str, n: int, ordinal: int, kind: int = EVENT_TYPE_CLICK
) -> None:
    """A person's n-th event, as event_ingest publishes it."""
    message = Interaction(
        user_id=user_id,
        n=n,
        event_id=f"{user_id}-{n}",
        item_ordinal=ordinal,
        type=kind,  # type: ignore[arg-type]  # a number of the enumeration
        occurred_at=now(),
        accepted_at=now(),
    )
    running.publish_bytes((INTERACTIONS, user_id, message.SerializeToString()))


def outcome(running: RankerProcess, name: str) -> float:
    return running.metric("headrace_accuracy_events_total", outcome=name)


def test_clicks_are_scored_against_the_list_before_them(running: RankerProcess) -> None:
    version = running.model.version
    running.embedding.vectors["ann"] = running.model.user("ann", 4, likes=LIKES)
    listed = [item.item_id for item in running.recommend(user_id="ann", n=N).items]
    assert len(listed) == N
    ordinals = {item.item_id: i + 1 for i, item in enumerate(running.model.items)}
    third, missed = ordinals[listed[2]], next(o for i, o in ordinals.items() if i not in listed)
    assert wait_until(lambda: _reads(running), DEADLINE_S)
    read = outcome(running, "scored"), outcome(running, "unremembered")

    # The vector with the click comes before the click: the one before it is the cached one.
    running.publish(running.model.user("ann", 5, likes=3, event_ids=["ann-5"]))
    did(running, "ann", 5, third)
    assert wait_until(lambda: outcome(running, "scored") == read[0] + 1, DEADLINE_S)
    known = {"model_version": version, "person": "known"}
    assert running.metric("headrace_accuracy_clicks_total", **known) == 1
    assert running.metric("headrace_accuracy_hits_total", **known, k="5") == 1
    assert running.metric("headrace_accuracy_gains_total", **known) == pytest.approx(
        1 / math.log2(4)
    )
    assert running.metric("headrace_accuracy_reciprocal_ranks_total", **known) == pytest.approx(
        1 / 3
    )

    # This one waits for the vector before it, which comes later.
    if missed == LIKES + 1:  # seen by ann, so nobody's to foretell
        missed = next(o for i, o in ordinals.items() if i not in listed and o != missed)
    did(running, "ann", 7, missed)
    running.publish(running.model.user("ann", 6, likes=LIKES, event_ids=["ann-6"]))
    did(running, "somebody else", 9, third)
    assert wait_until(lambda: outcome(running, "unremembered") == read[1] + 1, DEADLINE_S)
    assert wait_until(lambda: outcome(running, "scored") == read[0] + 2, DEADLINE_S)
    assert running.metric("headrace_accuracy_clicks_total", **known) == 2
    assert running.metric("headrace_accuracy_hits_total", **known, k="20") == 1

    # A first click is judged by what strangers get.
    [first, *_] = running.recommend(n=N).items
    did(running, "a stranger", 1, ordinals[first.item_id])
    new = {"model_version": version, "person": "new"}
    assert wait_until(
        lambda: running.metric("headrace_accuracy_hits_total", **new, k="5") == 1, DEADLINE_S
    )


def test_what_came_of_a_list_is_counted_by_source_and_position(running: RankerProcess) -> None:
    assert wait_until(lambda: _reads(running), DEADLINE_S)
    version = running.model.version
    served = ServedList(
        user_id="bob",
        served_at=now(),
        model_version=version,
        impressions=[
            Impression(item_id=f"item-{i}", score=0.25, source=SOURCE_RETRIEVAL) for i in range(8)
        ],
    )
    garbage = (IMPRESSIONS, "", b"\xff\xff garbage")
    running.publish_bytes(
        garbage, (IMPRESSIONS, "", ServedLists(lists=[served]).SerializeToString())
    )
    did(running, "bob", 2, 3)  # item-2, third
    did(running, "bob", 3, 3, EVENT_TYPE_PURCHASE)
    did(running, "bob", 4, 7)  # item-6, seventh
    labels = {"model_version": version, "source": "retrieval"}

    def came(position: str, outcome: str) -> float:
        return running.metric(
            "headrace_shown_outcomes_total", **labels, position=position, outcome=outcome
        )

    assert wait_until(lambda: came("6-10", "click") == 1, DEADLINE_S)
    assert (came("2-3", "click"), came("2-3", "purchase"), came("1", "click")) == (1, 1, 0)
    shown = [
        running.metric("headrace_shown_items_total", **labels, position=position)
        for position in ("1", "2-3", "4-5", "6-10")
    ]
    assert shown == [1, 2, 2, 3]
    chances = {"model_version": version, "chance": "0.3"}
    assert running.metric("headrace_calibration_items_total", **chances) == 8
    assert running.metric("headrace_calibration_clicks_total", **chances) == 2
    assert running.metric("headrace_coverage_ratio") == pytest.approx(8 / len(running.model.items))


def _reads(running: RankerProcess) -> bool:
    """Whether a click that comes now is read: the group begins with what comes after it joined."""
    did(running, f"nobody {time.monotonic()}", 9, 1, EVENT_TYPE_DISLIKE)
    return running.metric("headrace_inputs_total", input="history", range="5-9") > 0
