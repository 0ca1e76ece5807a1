"""What callers of the service may rely on."""

import grpc
import numpy as np
import pytest

from headrace.api.catalogue.v1.catalogue_pb2 import Availability, Item, ItemChange
from headrace.bundle import Bundle, ItemContent
from headrace.index.encoding import from_bytes
from headrace.local.waiting import wait_until
from headrace.runtime.topics import ITEMS
from tests.integration.item_embedding.running import Service, dead_letter, write
from tests.service_process import DEADLINE_S


def item(item_id: str, title: str = "A quiet comedy") -> Item:
    return Item(
        item_id=item_id,
        title=title,
        categories=["comedy"],
        attributes={"year": 1999},
        availability=Availability.AVAILABILITY_IN_STOCK,
    )


def test_an_upserted_item_has_its_vector_on_the_topic(shared_service: Service) -> None:
    (change,) = shared_service.calls().upsert(item("new"))
    assert (change.item, change.revision, change.deleted) == (item("new"), 1, False)
    found = shared_service.vectors(lambda vectors: "new" in vectors)["new"]
    assert (found.change, found.model_version) == (change, shared_service.model_version)
    vectors, biases = Bundle.load(str(shared_service.bundle), ["item"]).items.encode(
        [ItemContent("new", "A quiet comedy", "", ("comedy",), (), {"year": 1999.0})]
    )
    assert np.allclose(from_bytes(found.vector, found.width), vectors[0], atol=1e-6)
    assert found.bias == pytest.approx(biases[0])


def test_content_that_did_not_change_keeps_its_revision(shared_service: Service) -> None:
    calls = shared_service.calls()
    same, old = calls.upsert(item("same"), item("renamed"))
    assert calls.upsert(item("same"), item("renamed")) == [same, old]
    again, renamed, new = calls.upsert(item("same"), item("renamed", "Now"), item("newer"))
    assert again == same
    assert (renamed.ordinal, renamed.revision) == (old.ordinal, 2)
    assert (new.ordinal, new.revision) == (old.ordinal + 1, 1)
    shared_service.vectors(
        lambda vectors: "renamed" in vectors and vectors["renamed"].change == renamed
    )


def test_a_hidden_item_cannot_be_read_and_its_vector_still_answers(shared_service: Service) -> None:
    calls = shared_service.calls()
    (change,) = calls.upsert(item("hidden"))
    hidden = calls.delete("hidden")
    assert (hidden.deleted, hidden.revision, hidden.item) == (True, 2, change.item)
    assert calls.find("hidden") == []
    shared_service.vectors(
        lambda vectors: "hidden" in vectors and vectors["hidden"].change == hidden
    )
    (vector,) = calls.vectors(change.ordinal, 4_000_000_000)
    assert vector.change == hidden
    with pytest.raises(grpc.RpcError, match="already hidden"):
        calls.delete("hidden")


def test_one_bad_item_refuses_the_request_and_is_named(shared_service: Service) -> None:
    calls = shared_service.calls()
    with pytest.raises(grpc.RpcError, match=r"INVALID_ARGUMENT(.|\n)*items\[3\]\.title"):
        calls.upsert(item("w"), item("x"), item("y"), item("z", "x" * 501))
    assert calls.find("w", "x", "y", "z") == []


def test_garbage_is_dead_lettered_and_the_next_change_gets_its_vector(
    shared_service: Service,
) -> None:
    garbage = b"\xff garbage for " + shared_service.model_version.encode()
    stranger = ItemChange(item=item(shared_service.model_version), ordinal=77_777, revision=1)
    write(shared_service.kafka, ITEMS, garbage, stranger.SerializeToString())
    shared_service.calls().upsert(item("after-garbage"))
    shared_service.vectors(lambda vectors: "after-garbage" in vectors)
    letter = dead_letter(shared_service.kafka, ITEMS, garbage)
    assert letter["headrace-reason"] == b"undecodable"
    letter = dead_letter(shared_service.kafka, ITEMS, stranger.SerializeToString())
    assert letter["headrace-reason"] == b"unknown_item"


def test_metrics_tell_the_size_of_the_catalogue_and_the_time_to_a_vector(
    shared_service: Service,
) -> None:
    calls = shared_service.calls()
    before = shared_service.metrics()
    calls.upsert(*(item(f"counted-{i}") for i in range(20)))

    def grown_by_twenty() -> bool:
        after = shared_service.metrics()
        return (
            after["headrace_items_without_vector"] == 0
            and after["headrace_catalogue_items"] >= 20
            and after["headrace_item_vector_seconds_count"]
            >= before["headrace_item_vector_seconds_count"] + 20
        )

    assert wait_until(grown_by_twenty, DEADLINE_S)
