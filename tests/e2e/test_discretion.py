"""Whoever comes and whatever is asked: no metric has more series for it, and no log a name."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from headrace.local.system import SERVICES, LocalSystem
from tests.e2e.visitor import Visitor, new_events

Series = frozenset[tuple[str, frozenset[tuple[str, str]]]]

_PEOPLE, _EVENTS = 10, 70
_MOST = 2_000
"""Series of one process, buckets included."""


class Names(NamedTuple):
    """What is in the names of all who came, and of all else that they chose."""

    people: str
    things: str


@pytest.fixture(scope="module")
def known(system: LocalSystem, item_ids: list[str]) -> Series:
    """What there is once everything was done that strangers do below."""
    assert system.wait_ready(90)
    with closing(Visitor(system)) as visitor:
        _come(visitor, item_ids)
    return _series(system)


def test_strangers_unknown_paths_and_methods_make_no_series_and_no_line_of_their_own(
    system: LocalSystem, visitor: Visitor, item_ids: list[str], known: Series
) -> None:
    assert len(known) > 300
    names = [_come(visitor, item_ids) for _ in range(2)]
    now = _series(system)
    values = {value for _, labels in now for _, value in labels}
    for one in names:
        assert not {value for value in values if one.people in value or one.things in value}
    # Here and there something happens for the first time, as a status that came seldom.
    assert len(now - known) < 2 * _PEOPLE, sorted(map(str, now - known))
    logs = [path.read_text(encoding="utf-8") for path in system.logs.glob("*.log")]
    assert len(logs) > len(SERVICES)
    told = [line for log in logs for line in log.splitlines() for n in names if n.people in line]
    assert told == []


def test_a_process_has_so_many_series_at_most(system: LocalSystem, known: Series) -> None:
    assert known
    for service in SERVICES:
        count = len(set(_of(system, service)))
        assert count < _MOST, f"{service}: {count}"


def _come(visitor: Visitor, item_ids: Sequence[str]) -> Names:
    """Some people, who do what they may and what they may not."""
    people, things = (uuid.uuid4().hex for _ in Names._fields)
    visitor.send(new_events(f"{people}-", _PEOPLE, _EVENTS // _PEOPLE, item_ids))
    visitor.until_applied(f"{people}-", _EVENTS)
    for number in range(_PEOPLE):
        user, thing = f"{people}-{number}", f"{things}-{number}"
        visitor.recommendations(user, n=5)
        visitor.http.get(f"/{user}/{thing}")
        visitor.http.get(f"/v1/items/{thing}")
        visitor.http.put(f"/v1/items/{thing}", json={"title": thing, "categories": [thing]})
        visitor.http.request(f"X{things}", f"/v1/users/{user}/recommendations")
        visitor.http.get("/v1/search", params={"q": user})
        visitor.http.post(
            "/v1/accounts/log-in", json={"email": f"{user}@example.org", "password": user}
        )
        visitor.http.post("/v1/events", json={"events": [{"type": user, "user_id": user}]})
        waiting = {"user_id": user, "item_id": f"not-{thing}", "type": "click"}
        visitor.http.post("/v1/events", json={"events": [waiting]}).raise_for_status()
    with grpc.insecure_channel(visitor.system.grpc_address("gateway")) as channel:
        for path in (f"/{things}/Recommend", f"/headrace.api.gateway.v1.GatewayService/{things}"):
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(path, bytes, bytes)(b"", timeout=10)
    return Names(people, things)


def _series(system: LocalSystem) -> Series:
    return frozenset(one for service in SERVICES for one in _of(system, service))


def _of(system: LocalSystem, service: str) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
    text = httpx.get(system.metrics_url(service), timeout=10).raise_for_status().text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield f"{service} {sample.name}", frozenset(sample.labels.items())
