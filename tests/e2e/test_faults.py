"""Whatever dies in the middle of 3,000 events: each counts once, and every vector is right."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headrace.bundle import Bundle
from headrace.local.system import SERVICES, LocalSystem
from tests.e2e.visitor import Visitor, new_events, until

PEOPLE = 60
EACH = 50
EVENTS = PEOPLE * EACH


def send_while(
    visitor: Visitor, events: list[dict[str, Any]], breaking: Callable[[], None]
) -> None:
    """Sends events in a thread; breaks something once a third of them is accepted."""
    third = len(events) // 3
    visitor.send(events[:third])
    failures: list[BaseException] = []

    def send_rest() -> None:
        try:
            visitor.send(events[third:], deadline_s=90)
        except BaseException as failure:
            failures.append(failure)

    sender = threading.Thread(target=send_rest)
    sender.start()
    breaking()
    sender.join(120)
    assert not sender.is_alive()
    if failures:
        raise failures[0]


def assert_all_is_right(visitor: Visitor, bundle: Bundle, prefix: str) -> None:
    """Stored once each, and every person's vector equals that of an uninterrupted replay."""
    visitor.until_applied(prefix, EVENTS, deadline_s=90)
    visitor.assert_each_stored_once(prefix, EVENTS)
    for person in range(PEOPLE):
        user_id = f"{prefix}{person}"
        np.testing.assert_allclose(
            visitor.served_vector(user_id),
            visitor.replayed_vector(bundle, user_id),
            atol=1e-5,
            rtol=0,
        )


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_loses_and_doubles_nothing(
    service: str, visitor: Visitor, system: LocalSystem, bundle: Bundle, item_ids: list[str]
) -> None:
    prefix = f"kill-{service}-"
    pid = system.pid(service)
    assert pid is not None

    def kill() -> None:
        os.kill(pid, signal.SIGKILL)  # the supervisor starts it again
        until(lambda: system.pid(service) not in (None, pid), 30, f"{service} was started again")

    send_while(visitor, new_events(prefix, PEOPLE, EACH, item_ids), kill)
    assert_all_is_right(visitor, bundle, prefix)


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_a_stopped_server_loses_and_doubles_nothing(
    name: str, visitor: Visitor, system: LocalSystem, bundle: Bundle, item_ids: list[str]
) -> None:
    prefix = f"stop-{name}-"

    def stop_and_start() -> None:
        system.terminate(name)
        system.start(name)

    send_while(visitor, new_events(prefix, PEOPLE, EACH, item_ids), stop_and_start)
    assert_all_is_right(visitor, bundle, prefix)


@pytest.mark.parametrize("service", SERVICES)
def test_a_terminated_service_drains_and_exits_with_zero(
    service: str, visitor: Visitor, system: LocalSystem, bundle: Bundle, item_ids: list[str]
) -> None:
    prefix = f"term-{service}-"

    def terminate() -> None:
        assert system.terminate(service) == 0
        system.start(service)

    send_while(visitor, new_events(prefix, PEOPLE, EACH, item_ids), terminate)
    assert_all_is_right(visitor, bundle, prefix)
