"""Rules and dashboards speak of metrics that the services have, with labels that these have."""

import importlib
import json
import re

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

from deploy.grafana.boards import BOARDS
from deploy.grafana.build import FOLDER, text_of
from deploy.grafana.panels import SOURCE, Board
from tests.integration.deploy.asked import (
    expressions,
    labels_of,
    metric_of,
    panels,
    queries,
    selectors,
)
from tests.integration.deploy.manifests import DEPLOY
from tests.integration.deploy.test_rules import rules

_ROOT = DEPLOY.parent
MEASURING = (
    "headrace.runtime.metrics",
    "services.event_ingest.metrics",
    "services.gateway.accounts.service",
    "services.gateway.accounts.smtp",
    "services.gateway.console.live",
    "services.gateway.events.service",
    "services.gateway.impressions",
    "services.gateway.listing",
    "services.gateway.middleware",
    "services.gateway.releases.metrics",
    "services.item_embedding.metrics",
    "services.ranker.accuracy.metrics",
    "services.ranker.metrics",
    "services.user_embedding.metrics",
)
"""Modules that declare metrics."""
_OF_THE_PROCESS: dict[str, set[str]] = {
    "up": set(),
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
    "process_start_time_seconds": set(),
}


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Names of samples, and the labels of each; those of recording rules included."""
    for module in MEASURING:
        importlib.import_module(module)
    found: dict[str, set[str]] = dict(_OF_THE_PROCESS)
    for collector in set(REGISTRY._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in REGISTRY._collector_to_names[collector]:
            found[name] = labels
    waiting = [rule for rule in rules() if "record" in rule]
    while waiting:
        rule = waiting.pop(0)
        if all(one.name in found for one in selectors(rule["expr"])):
            made = labels_of(promql_parser.parse(rule["expr"]), found)
            found[rule["record"]] = made | set(rule.get("labels", ()))
        elif any(
            other["record"] == one.name for one in selectors(rule["expr"]) for other in waiting
        ):
            waiting.append(rule)
        else:
            raise AssertionError(f"{rule['record']} is made of what there is not")
    return found


def test_every_module_that_declares_a_metric_is_looked_at() -> None:
    declaring = {
        ".".join(path.relative_to(_ROOT).with_suffix("").parts)
        for folder in ("headrace", "services")
        for path in (_ROOT / folder).rglob("*.py")
        if re.search(
            r"= (Counter|Gauge|Histogram)\(\s*\"headrace_", path.read_text(encoding="utf-8")
        )
    }
    assert declaring == set(MEASURING)


def test_every_query_asks_for_metrics_and_labels_that_there_are(
    known: dict[str, set[str]],
) -> None:
    for place, query in queries().items():
        assert selectors(query), place
        for selector in selectors(query):
            assert selector.name in known, f"{place}: no metric {selector.name}"
            unknown = set(selector.labels) - labels_of(selector.expression, known)
            assert not unknown, f"{place}: {selector.name} has no label {unknown}"


def test_every_metric_is_on_a_dashboard_or_in_a_rule(known: dict[str, set[str]]) -> None:
    asked = {metric_of(one.name) for query in queries().values() for one in selectors(query)}
    assert {metric_of(name) for name in known if name.startswith("headrace_")} <= asked


def test_what_is_grouped_and_told_apart_by_is_a_label_that_there_is(
    known: dict[str, set[str]],
) -> None:
    for place, query in queries().items():
        for one in expressions(promql_parser.parse(query)):
            if isinstance(one, promql_parser.AggregateExpr) and one.modifier is not None:
                unknown = set(one.modifier.labels) - labels_of(one.expr, known)
                assert not unknown, f"{place}: groups by {unknown}"
    for place, legend, query in panels():
        named = set(re.findall(r"{{(\w+)}}", legend))
        unknown = named - labels_of(promql_parser.parse(query), known)
        assert not unknown, f"{place}: the answer has no label {unknown}"
    for rule in rules():
        told = " ".join(rule.get("annotations", {}).values())
        named = set(re.findall(r"\$labels\.(\w+)", told))
        unknown = named - labels_of(promql_parser.parse(rule["expr"]), known)
        assert not unknown, f"{rule.get('alert')}: says {unknown}"


def test_every_bucket_that_a_rule_names_is_one_that_is_kept() -> None:
    from headrace.runtime.metrics import LATENCY_BUCKETS

    kept = {str(bound) for bound in LATENCY_BUCKETS}
    for place, query in queries().items():
        for selector in selectors(query):
            bound = selector.labels.get("le")
            assert bound is None or bound in kept, f"{place}: le={bound}"


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
