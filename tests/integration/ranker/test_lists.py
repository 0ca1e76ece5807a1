"""On real Kafka and Postgres: vectors come, and lists follow."""

import math
import threading
from collections.abc import Iterable
from functools import partial

import grpc
import psycopg2
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.ranker.v1 import ranker_pb2 as api
from headrace.api.ranker.v1.filter_pb2 import Filter, Filters, OneOf, PriceRange
from headrace.api.ranker.v1.list_options_pb2 import LIST_KIND_NEW, LIST_KIND_SIMILAR, Pin
from headrace.api.user_embedding.v1.user_embedding_pb2 import (
    EVENT_STATUS_APPLIED,
    EVENT_STATUS_PENDING,
    EVENT_STATUS_UNKNOWN,
)
from headrace.local.waiting import wait_until
from tests.integration.ranker.running import RankerProcess
from tests.service_process import DEADLINE_S

COMEDY, DRAMA, HORROR = 0, 1, 2  # items of these categories: 0, 4, 8, ...; 1, 5, 9, ...; ...


def ids(items: Iterable[api.RankedItem]) -> list[str]:
    return [item.item_id for item in items]


def categories(items: Iterable[api.RankedItem]) -> set[str]:
    return {category for item in items for category in item.categories}


def test_a_person_s_list_follows_the_person_s_vector(running: RankerProcess) -> None:
    running.embedding.vectors["ann"] = running.model.user("ann", 1, likes=COMEDY)
    first = running.recommend(user_id="ann")
    assert first.n_applied == 1
    assert first.model_version == running.model.version
    assert first.as_of.seconds == 1_700_000_001
    assert first.degraded == ""
    assert len(first.items) == 5
    assert "item-0" not in ids(first.items)
    assert all(0 <= item.score <= 1 and item.title for item in first.items)
    assert {item.source for item in first.items} == {api.SOURCE_RETRIEVAL}

    accepted = Timestamp()
    accepted.GetCurrentTime()
    running.publish(running.model.user("ann", 2, likes=HORROR, accepted_at=accepted))
    assert wait_until(lambda: running.recommend(user_id="ann").n_applied == 2, DEADLINE_S)
    second = running.recommend(user_id="ann")
    assert ids(second.items) != ids(first.items)
    assert "item-2" not in ids(second.items)
    assert running.embedding.fetches == ["ann"]
    assert running.metric("headrace_freshness_seconds_count") == 1


def test_a_category_is_all_there_is(running: RankerProcess) -> None:
    running.embedding.vectors["ann"] = running.model.user("ann", 1, likes=COMEDY)
    drama = running.recommend(user_id="ann", category="drama", n=200)
    assert sorted(ids(drama.items)) == sorted(f"item-{i}" for i in range(DRAMA, 60, 4))
    assert categories(drama.items) == {"drama"}
    assert not running.recommend(user_id="ann", category="cooking").items
    assert not running.recommend(category="cooking").items


def test_a_visit_is_embedded_and_left_out(running: RankerProcess) -> None:
    running.embedding.vectors["visit 3"] = running.model.user("", 0, likes=2)
    answer = running.recommend(session=["item-1", "nothing", "item-2"], n=60)
    assert answer.items[0].source == api.SOURCE_RETRIEVAL
    assert len(answer.items) == 58
    assert not {"item-1", "item-2"} & set(ids(answer.items))


def test_what_is_trending_comes_from_postgres_and_outlives_it(
    running: RankerProcess, database: str
) -> None:
    assert running.recommend().items[0].source == api.SOURCE_POPULAR
    assert ids(running.recommend().items) == [f"item-{i}" for i in range(5)]
    connection = psycopg2.connect(database)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO item_minute_counts VALUES"
            " (now() - interval '5 minutes', 31, 10), (now() - interval '1 minute', 31, 3),"
            " (now() - interval '30 hours', 41, 100), (now() - interval '4 days', 51, 100000)"
        )
    connection.close()

    def trending() -> bool:
        return running.recommend().items[0].source == api.SOURCE_TRENDING

    assert wait_until(trending, DEADLINE_S)
    # 13 events of now are more than 100 of five half-lives ago; four days ago is forgotten.
    items = running.recommend().items
    assert ids(items) == ["item-30", "item-40", "item-0", "item-1", "item-2"]
    assert [item.score for item in items] == sorted((i.score for i in items), reverse=True)
    assert ids(running.recommend(category="comedy").items)[0] == "item-40"


def test_similar_items_are_near_and_never_the_item_itself(running: RankerProcess) -> None:
    answer = running.similar(item_id="item-8", n=10)
    assert categories(answer.items) == {"comedy"}
    assert "item-8" not in ids(answer.items)
    assert all(-1.001 <= item.score <= 1.001 for item in answer.items)
    with pytest.raises(grpc.RpcError) as failed:
        running.similar(item_id="nothing")
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND


def test_an_event_is_waited_for_by_a_ranker_that_never_saw_the_person(
    running: RankerProcess,
) -> None:
    answers: list[api.RecommendResponse] = []
    asking = threading.Thread(
        target=lambda: answers.append(running.recommend(user_id="bob", after_event_id="e1"))
    )
    asking.start()
    assert wait_until(lambda: "bob" in running.embedding.fetches, DEADLINE_S, 0.001)
    update = running.model.user("bob", 1, likes=COMEDY, event_ids=["e1"])
    running.embedding.vectors["bob"] = update
    running.embedding.events["e1"] = (EVENT_STATUS_APPLIED, 1)
    running.publish(update)
    asking.join()
    assert (answers[0].after_status, answers[0].n_applied) == (EVENT_STATUS_APPLIED, 1)


def test_an_event_that_does_not_come_is_asked_for(running: RankerProcess) -> None:
    model, embedding = running.model, running.embedding
    embedding.events["waiting"] = (EVENT_STATUS_PENDING, 2)
    embedding.vectors["ann"] = model.user("ann", 1, likes=COMEDY)
    pending = running.recommend(user_id="ann", after_event_id="waiting", after_timeout_ms=20)
    assert (pending.after_status, pending.n_applied) == (EVENT_STATUS_PENDING, 1)
    unknown = running.recommend(user_id="ann", after_event_id="never", after_timeout_ms=20)
    assert unknown.after_status == EVENT_STATUS_UNKNOWN
    embedding.events["old"] = (EVENT_STATUS_APPLIED, 3)
    embedding.vectors["ann"] = model.user("ann", 30, likes=HORROR)
    applied = running.recommend(user_id="ann", after_event_id="old", after_timeout_ms=20)
    assert (applied.after_status, applied.n_applied) == (EVENT_STATUS_APPLIED, 30)


def test_lists_stay_full_and_never_show_what_has_gone_while_the_catalogue_changes(
    running: RankerProcess,
) -> None:
    """Odd items are deleted one after the other, even ones change all the time."""
    model = running.model
    running.embedding.vectors["ann"] = model.user("ann", 1, likes=COMEDY)
    stay = {f"item-{i}" for i in range(2, 60, 2)}

    def write() -> None:
        for i in range(1, 60, 2):
            running.publish(
                model.item(i, revision=2, deleted=True),
                *(model.item(j, revision=i + 1) for j in range(0, 60, 2)),
            )

    writing = threading.Thread(target=write)
    writing.start()
    known: set[str] | None = None
    while writing.is_alive() or known != stay:
        listed = ids(running.recommend(user_id="ann", n=200).items)
        assert len(listed) == len(set(listed))
        shown = set(listed)
        assert stay <= shown
        assert known is None or shown <= known, "an item came back"
        known = shown
        assert len(running.recommend(n=25).items) == 25
        assert len(running.similar(item_id="item-2", n=20).items) == 20
    writing.join()
    assert wait_until(lambda: running.metric("headrace_ranker_catalogue_items") == 30, DEADLINE_S)


def test_what_cannot_be_asked_is_refused_by_name(running: RankerProcess) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        running.recommend(n=201)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "n: " in (failed.value.details() or "")


def test_filters_see_what_the_catalogue_published(running: RankerProcess) -> None:
    cheap = running.model.item(5, revision=2)
    cheap.change.item.price.amount, cheap.change.item.price.currency = 500, "EUR"
    cheap.change.item.tags.append("new")
    gone = running.model.item(6, revision=2)
    gone.change.item.tags.append("new")
    gone.change.item.expire_at.FromSeconds(1)
    running.publish(cheap, gone)
    both = Filters(
        filters=[
            Filter(tag=OneOf(one_of=["new"])),
            Filter(price=PriceRange(currency="EUR", lte=500)),
        ]
    )
    found = partial(running.recommend, filter=Filter(all=both))
    assert wait_until(lambda: ids(found().items) == ["item-5"], DEADLINE_S)
    assert ids(running.recommend(filter=Filter(tag=OneOf(one_of=["new"]))).items) == ["item-5"]
    assert len(running.recommend(filter=Filter(none=both)).items) == 5


def test_pages_and_kinds_over_the_wire(running: RankerProcess) -> None:
    running.embedding.vectors["ann"] = running.model.user("ann", 1, likes=DRAMA)
    first = running.recommend(user_id="ann", n=30, cursor="")
    second = running.recommend(user_id="ann", n=30, cursor=first.next_cursor)
    assert len({*ids(first.items), *ids(second.items)}) == 59  # all but the one that was seen
    assert second.next_cursor == ""
    near = running.recommend(kind=LIST_KIND_SIMILAR, items=["item-0", "item-4"], n=3)
    assert {item.categories[0] for item in near.items} == {"comedy"}
    newest = running.recommend(kind=LIST_KIND_NEW, n=2)
    assert ids(newest.items) == ["item-59", "item-58"]
    pinned = running.recommend(pin=[Pin(item_id="item-7", position=2)])
    assert (pinned.items[1].item_id, pinned.items[1].source) == ("item-7", api.SOURCE_PINNED)


def test_a_list_says_why_over_the_wire(running: RankerProcess) -> None:
    running.embedding.vectors["ann"] = running.model.user("ann", 1, likes=DRAMA)
    best = running.recommend(user_id="ann", n=1, explain=True).items[0]
    why = best.explanation
    log_odds = math.log(best.score / (1 - best.score))
    assert why.anybody + why.history + why.boosts == pytest.approx(log_odds, abs=1e-3)
    assert [cause.item_id for cause in why.because] == [f"item-{DRAMA}"]
    assert why.because[0].log_odds == pytest.approx(why.history, abs=1e-3)
    assert not running.recommend(user_id="ann", n=1).items[0].HasField("explanation")


def test_lists_of_many_are_those_of_each(running: RankerProcess) -> None:
    model = running.model
    names = [f"p{number:02d}" for number in range(40)]
    running.embedding.vectors = {
        name: model.user(name, 1, likes=number) for number, name in enumerate(names)
    }
    asked = [*names, "stranger"]
    lists = running.batch(user_ids=asked)
    assert [one.user_id for one in lists] == asked
    assert running.embedding.fetches == []
    for one in lists:
        alone = running.recommend(user_id=one.user_id)
        assert (ids(one.items), one.n_applied) == (ids(alone.items), alone.n_applied)
    assert [one.user_id for one in running.batch()] == names
