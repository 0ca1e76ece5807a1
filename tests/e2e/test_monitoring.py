"""What operators look at: every panel and every rule, asked of the real Prometheus, and traces."""

import re
import secrets
import time
from collections.abc import Iterator

import grpc
import httpx
import pytest

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import Board
from deploy.grafana.preview import asker, page
from deploy.grafana.whole import OVERVIEW
from headrace.api.gateway.v1.gateway_pb2 import RecommendRequest
from headrace.api.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from headrace.local.system import SERVICES
from tests.e2e.collector import Collector
from tests.e2e.prometheus import Prometheus
from tests.e2e.visitor import API_KEY, Visitor, new_events, until
from tests.integration.deploy.asked import metric_of, queries, selectors

# Three readings at least, on a machine that is busy.
_WINDOW = "20s"
_DEADLINE_S = 90.0


@pytest.fixture(scope="module", autouse=True)
def collector() -> Iterator[Collector]:
    """Where the system's spans go; before the system, which is told by its environment."""
    with Collector() as collecting, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_TRACES_URL", collecting.url)
        patch.setenv("HEADRACE_TRACES_SHARE", "0")
        yield collecting


def test_every_panel_shows_data_and_the_overview_shows_numbers(
    prometheus: Prometheus, visitor: Visitor, item_ids: list[str]
) -> None:
    _use_both_doors(visitor, item_ids)
    wanted = {query: False for board in BOARDS for query in _queries(board)}
    wanted |= dict.fromkeys(_queries(OVERVIEW), True)

    def all_answered() -> bool:
        _use_http(visitor, item_ids)
        for query, number in list(wanted.items()):
            if prometheus.numbers(query) if number else prometheus.values(query):
                del wanted[query]
        return not wanted

    try:
        until(all_answered, _DEADLINE_S, "every panel has data")
    except TimeoutError:
        assert wanted == {}


def test_each_service_exports_what_is_asked_of_it(prometheus: Prometheus) -> None:
    """`or vector(0)` makes a panel answer for a metric that nobody has."""
    exported = {
        job: {metric_of(name) for name in names} for job, names in prometheus.exported().items()
    }
    assert set(exported) == set(SERVICES)
    for place, query in queries().items():
        for selector in selectors(query):
            if ":" in selector.name or selector.name == "up":  # made by Prometheus itself
                continue
            named = selector.labels.get("job", "")
            jobs = {job for job in exported if re.fullmatch(named, job)}
            having = {job for job in exported if metric_of(selector.name) in exported[job]}
            assert having, f"{place}: nobody exports {selector.name}"
            assert jobs <= having, f"{place}: {jobs - having} do not export {selector.name}"


def test_dashboards_can_be_drawn_without_grafana(prometheus: Prometheus) -> None:
    now = time.time()
    for board in BOARDS:
        html = page(board, asker(prometheus.url, _WINDOW), (now - 60, now))
        assert html.count("<section") == sum(len(row.panels) for row in board.rows)
        assert "<polyline" in html, board.name
        assert board is not OVERVIEW or "No data" not in html


def test_no_rule_fails(prometheus: Prometheus) -> None:
    def evaluated() -> bool:
        return all(rule["health"] != "unknown" for rule in prometheus.rules())

    until(evaluated, _DEADLINE_S, "every rule was evaluated")
    rules = prometheus.rules()
    assert len(rules) > 40
    assert [rule.get("lastError") for rule in rules if rule["health"] != "ok"] == []


def test_one_trace_leads_from_a_click_to_the_list_through_all_services(
    collector: Collector, visitor: Visitor, item_ids: list[str]
) -> None:
    trace_id = secrets.token_hex(16)
    headers = {
        "Authorization": f"Bearer {API_KEY}",
        "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01",
    }
    url = visitor.system.http_url
    event = {"user_id": "traced", "item_id": item_ids[3], "type": "click", "event_id": "first"}
    with httpx.Client(base_url=url, headers=headers, timeout=10) as client:
        answers = [
            client.get(f"/v1/items/{item_ids[3]}"),
            client.post("/v1/events", json={"events": [event]}),
            client.get("/v1/users/traced/recommendations", params={"after": "first"}),
            httpx.post(f"{url}/v1/recommendations", json={"n": 5}),  # of no trace
        ]
    assert [answer.status_code for answer in answers] == [200, 202, 200, 200]
    wanted = [
        ("event_ingest", "process events", "gateway", "POST /v1/events"),
        ("user_embedding", "process interactions", "event_ingest", "process events"),
        (
            "ranker",
            f"process user-vectors.{visitor.system.model_version}",
            "user_embedding",
            "process interactions",
        ),
        (
            "ranker",
            "headrace.api.ranker.v1.RankerService/Recommend",
            "gateway",
            "GET /v1/users/{user_id}/recommendations",
        ),
        (
            "item_embedding",
            "headrace.api.item_embedding.v1.ItemEmbeddingService/GetItems",
            "gateway",
            "GET /v1/items/{item_id}",
        ),
    ]

    def edges() -> set[tuple[str, str, str, str]]:
        spans = {span.span_id: span for span in collector.of(trace_id)}
        return {
            (span.service, span.name, spans[span.parent_id].service, spans[span.parent_id].name)
            for span in spans.values()
            if span.parent_id in spans
        }

    try:
        until(lambda: set(wanted) <= edges(), 30, "the trace is whole")
    except TimeoutError:
        assert edges() == set(wanted)
    assert {span.trace_id for span in collector.spans} == {trace_id}
    assert not any(item_ids[3] in span.attributes for span in collector.spans)
    assert not any("traced" in span.attributes for span in collector.spans)


def test_without_prometheus_people_notice_nothing_and_it_counts_on_when_it_is_back(
    prometheus: Prometheus, visitor: Visitor, item_ids: list[str]
) -> None:
    lists = "sum(headrace_gateway_lists_total)"
    until(lambda: prometheus.firing("HeadraceWatched") != [], 30, "somebody watches")
    (before,) = prometheus.values(lists)
    prometheus.kill()
    for n in range(10):
        assert len(visitor.recommendations(f"unwatched-{n}", n=5)["items"]) == 5
    assert visitor.system.wait_ready(10)
    prometheus.start()

    def counted() -> bool:
        return sum(prometheus.values(lists)) >= before + 10

    until(counted, 30, "lists of that time are counted")
    until(lambda: prometheus.firing("HeadraceWatched") != [], 30, "somebody watches again")


def _queries(board: Board) -> list[str]:
    return [
        query.replace("$__rate_interval", _WINDOW)
        for row in board.rows
        for panel in row.panels
        for query in panel.queries.values()
    ]


def _use_http(visitor: Visitor, item_ids: list[str]) -> None:
    visitor.send(new_events("watched-", people=3, each=1, items=item_ids))
    visitor.recommendations("watched-0", n=5)
    visitor.recommendations("a-stranger", n=5)


def _use_both_doors(visitor: Visitor, item_ids: list[str]) -> None:
    _use_http(visitor, item_ids)
    metadata = (("authorization", f"Bearer {API_KEY}"),)
    with grpc.insecure_channel(visitor.system.grpc_address("gateway")) as channel:
        stub = GatewayServiceStub(channel)
        stub.Recommend(RecommendRequest(user_id="watched-0"), metadata=metadata, timeout=10)
