"""What the process answers over gRPC."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from pyroaring import BitMap

from headrace.api.user_embedding.v1 import user_embedding_pb2 as pb
from headrace.contracts.events import EventType
from headrace.errors import FailedPrecondition, InvalidInput
from headrace.index.encoding import from_bytes
from headrace.local.waiting import wait_until
from headrace.runtime.rpc_errors import from_rpc_error
from tests.integration.user_embedding.items import ON_TOPIC
from tests.integration.user_embedding.logs import random_log, replayed
from tests.integration.user_embedding.world import World
from tests.service_process import DEADLINE_S


def test_a_person_is_rebuilt_on_first_need_and_rankers_are_told(
    world: World,
) -> None:
    world.service.start_and_wait()
    calls = world.service.calls()
    user = uuid.uuid4().hex
    assert (calls.vector(user).n, calls.vector(user).vector) == (0, b"")

    log = random_log(user, 120, ON_TOPIC)
    world.tables.write(log)
    with ThreadPoolExecutor(8) as threads:
        vectors = list(threads.map(calls.vector, [user] * 8))
    expected = replayed(world.bundle, world.items.vectors, log)
    for vector in vectors:
        assert vector.n == 120
        np.testing.assert_allclose(
            from_bytes(vector.vector, world.bundle.width), expected, atol=1e-5
        )
    seen = {e.item_ordinal for e in log if e.type >= EventType.PURCHASE}
    assert set(BitMap.deserialize(vectors[0].seen)) == seen
    assert list(vectors[0].recent_event_ids) == [entry.event_id for entry in log[-16:]]
    assert wait_until(lambda: world.told.has(user, 120), DEADLINE_S)


def test_a_session_starts_from_the_person_and_is_not_stored(world: World) -> None:
    world.service.start_and_wait()
    calls = world.service.calls()
    bundle, items = world.bundle, world.items
    user = uuid.uuid4().hex
    world.tables.write(random_log(user, 3, ON_TOPIC))
    before = calls.vector(user)
    session = calls.session(user, [5, 1_000_000, 7])
    assert session.n == 3
    assert list(session.recent_ordinals)[-2:] == [5, 7]
    assert session.vector != before.vector
    assert calls.vector(user) == before

    anonymous = calls.session("", [5, 7])
    state, vector = bundle.user.initial_state(1), np.zeros((1, bundle.width), np.float32)
    for ordinal in (5, 7):
        state, vector = bundle.user.step(
            state, items.vectors[[ordinal]], np.array([EventType.CLICK]), np.array([0.0])
        )
    actual = from_bytes(anonymous.vector, bundle.width)
    np.testing.assert_allclose(actual, vector[0], atol=1e-5)
    assert calls.session("", [1_000_000]).vector == b""


def test_what_became_of_an_event_is_told(world: World) -> None:
    child = world.service.start_and_wait()
    calls, tables = world.service.calls(), world.tables
    user = uuid.uuid4().hex
    log = random_log(user, 2, ON_TOPIC)
    tables.write(log[:1])
    world.publish(log[:1])
    assert wait_until(lambda: world.told.has(user, 1), DEADLINE_S), child.last_log_lines()
    tables.query(
        "INSERT INTO waiting_events (user_id, event_id, item_id, type, occurred_at, backfill,"
        " body_hash) VALUES (%s, 'waits', 'item-900', 2, now(), false, '')",
        user,
    )
    tables.query("INSERT INTO refused_events VALUES (%s, 'refused', 'invalid_event')", user)

    assert calls.status(user, log[0].event_id) == ("APPLIED", 1)
    assert calls.status(user, "waits") == ("WAITING_FOR_ITEM", 0)
    assert calls.status(user, "refused") == ("REFUSED", 0)
    assert calls.status(user, "never sent") == ("UNKNOWN", 0)
    assert calls.status("nobody", log[0].event_id) == ("UNKNOWN", 0)
    child.stop(DEADLINE_S)

    # The sweeper would apply it within seconds: look without the process.
    tables.write(log[1:])
    assert tables.query("SELECT n FROM user_states WHERE user_id = %s", user) == [(1,)]
    world.service.start_and_wait()
    assert wait_until(lambda: calls.status(user, log[1].event_id) == ("APPLIED", 2), DEADLINE_S)


def test_another_model_version_is_refused(world: World) -> None:
    world.service.start_and_wait()
    with pytest.raises(grpc.RpcError) as failure:
        world.service.calls().vector("ada", model_version="another")
    assert isinstance(from_rpc_error("", failure.value), FailedPrecondition)


def test_a_field_at_fault_is_named(world: World) -> None:
    world.service.start_and_wait()
    calls = world.service.calls()
    failures = []
    for call in (
        lambda: calls.vector(""),
        lambda: calls.vector("x" * 129),
        lambda: calls.session("", []),
        lambda: calls.session("", [1] * 201),
        lambda: calls.stub.GetEventStatus(
            pb.GetEventStatusRequest(user_id="ada"), timeout=DEADLINE_S
        ),
    ):
        with pytest.raises(grpc.RpcError) as failure:
            call()
        error = from_rpc_error("", failure.value)
        assert isinstance(error, InvalidInput)
        failures.append(error.violations[0].field)
    assert failures == ["user_id", "user_id", "item_ordinals", "item_ordinals", "event_id"]


def test_many_are_read_as_they_are_stored(world: World) -> None:
    world.service.start_and_wait()
    calls = world.service.calls()
    # Behind those of other tests, whose interactions lie on the same topic.
    people = sorted(f"~{uuid.uuid4().hex}" for _ in range(3))
    for user in people:
        world.tables.write(random_log(user, 4, ON_TOPIC))
        calls.vector(user)  # rebuilt and stored
    named = calls.many(user_ids=[people[1], "nobody", people[0]])
    assert [one.user_id for one in named] == [people[1], people[0]]
    assert named == [calls.vector(people[1]), calls.vector(people[0])]
    assert [one.user_id for one in calls.many(limit=2, after_user_id="~")] == people[:2]
    assert [one.user_id for one in calls.many(limit=2, after_user_id=people[1])] == people[2:]
    for wrong in ({"limit": 0}, {"limit": 501}, {"user_ids": ["a"] * 501}, {"user_ids": [""]}):
        with pytest.raises(grpc.RpcError) as refused:
            calls.many(**wrong)
        assert isinstance(from_rpc_error("user_embedding", refused.value), InvalidInput)
