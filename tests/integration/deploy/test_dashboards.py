"""Rules and dashboards speak of metrics that the services have, with labels that these have."""

import importlib
import json
from collections.abc import Iterator

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

from deploy.grafana.boards import BOARDS
from deploy.grafana.build import FOLDER, text_of
from deploy.grafana.panels import SOURCE, Board
from tests.integration.deploy.manifests import DEPLOY
from tests.integration.deploy.test_rules import rules

_MEASURING = (
    "headrace.runtime.metrics",
    "services.event_ingest.metrics",
    "services.gateway.accounts.service",
    "services.gateway.accounts.smtp",
    "services.gateway.impressions",
    "services.gateway.middleware",
    "services.gateway.releases.metrics",
    "services.gateway.service",
    "services.item_embedding.metrics",
    "services.ranker.accuracy.metrics",
    "services.ranker.metrics",
    "services.user_embedding.metrics",
)
"""Modules that declare metrics."""
_OF_PROMETHEUS = {"job", "instance", "le", "__name__"}
_OF_THE_PROCESS: dict[str, set[str]] = {
    "up": set(),
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
    "process_start_time_seconds": set(),
}


def _metrics() -> dict[str, set[str]]:
    """Names of samples, and the labels of each."""
    for module in _MEASURING:
        importlib.import_module(module)
    known: dict[str, set[str]] = dict(_OF_THE_PROCESS)
    for collector in set(REGISTRY._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in REGISTRY._collector_to_names[collector]:
            known[name] = labels
    for rule in rules():
        if "record" in rule:
            known[rule["record"]] = {"slo", "topic", "group", "input", "range", "chance"}
    return known


def _selectors(expression: object) -> Iterator[promql_parser.VectorSelector]:
    """Every selector of a metric within an expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    if isinstance(expression, promql_parser.MatrixSelector):
        yield from _selectors(expression.vector_selector)
    for part in ("expr", "lhs", "rhs", "param"):
        if hasattr(expression, part):
            yield from _selectors(getattr(expression, part))
    if isinstance(expression, promql_parser.Call):
        for argument in expression.args:
            yield from _selectors(argument)


def _queries() -> dict[str, str]:
    """Every PromQL of rules and panels, by where it stands."""
    found = {f"rule {rule.get('alert') or rule['record']}": rule["expr"] for rule in rules()}
    for board in BOARDS:
        for row in board.rows:
            for panel in row.panels:
                for legend, query in panel.queries.items():
                    found[f"{board.name}: {panel.title}: {legend}"] = query.replace(
                        "$__rate_interval", "1m"
                    )
    return found


def test_every_query_asks_for_metrics_and_labels_that_there_are() -> None:
    known = _metrics()
    for place, query in _queries().items():
        selectors = list(_selectors(promql_parser.parse(query)))
        assert selectors, place
        for selector in selectors:
            assert selector.name in known, f"{place}: no metric {selector.name}"
            labels = {matcher.name for matcher in selector.matchers.matchers}
            unknown = labels - known[selector.name] - _OF_PROMETHEUS
            assert not unknown, f"{place}: {selector.name} has no label {unknown}"


def test_every_bucket_that_a_rule_names_is_one_that_is_kept() -> None:
    from headrace.runtime.metrics import LATENCY_BUCKETS

    kept = {str(bound) for bound in LATENCY_BUCKETS}
    for place, query in _queries().items():
        for selector in _selectors(promql_parser.parse(query)):
            for matcher in selector.matchers.matchers:
                if matcher.name == "le":
                    assert matcher.value in kept, f"{place}: le={matcher.value}"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_the_committed_dashboard_is_what_the_code_makes(board: Board) -> None:
    committed = (FOLDER / f"{board.name}.json").read_text(encoding="utf-8")
    assert committed == text_of(board), "run `make dashboards`"


def test_dashboards_are_provisioned_with_the_source_that_they_name() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources.yaml").read_text())
    [source] = sources["datasources"]
    assert source["uid"] == SOURCE["uid"]
    given = yaml.safe_load((DEPLOY / "grafana/kustomization.yaml").read_text())
    [files] = [g["files"] for g in given["configMapGenerator"] if "dashboards" in g["name"]]
    assert set(files) == {f"dashboards/{board.name}.json" for board in BOARDS}
    addresses = [json.loads(text_of(board))["uid"] for board in BOARDS]
    assert len(set(addresses)) == len(BOARDS)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_panels_do_not_overlap(board: Board) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board.json()["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + dx, place["y"] + dy)
            for dx in range(place["w"])
            for dy in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
