"""Every label has values that are known beforehand, or a bound on how many there are."""

import importlib

from prometheus_client import REGISTRY

from tests.integration.deploy.test_dashboards import MEASURING

_CLOSED = {
    # Ours by name.
    "caller", "chance", "code", "degraded", "index", "input", "k", "match", "name", "outcome",
    "part", "person", "range", "reason", "result", "slot", "source", "stage", "status", "type",
    "use", "variant",
    # Of templates: never a path.
    "method", "route",
    # Of the topics that there are, by group of consumers.
    "group", "topic",
    # As far as a list is shown.
    "position",
    # Of a bounded memory (services/ranker/accuracy/metrics.py), or two at most.
    "model_version",
}  # fmt: skip


def test_no_metric_has_a_label_whose_values_have_no_end() -> None:
    for module in MEASURING:
        importlib.import_module(module)
    labels = {
        (name, label)
        for collector, names in REGISTRY._collector_to_names.items()
        for name in names
        if name.startswith("headrace_")
        for label in getattr(collector, "_labelnames", ())
    }
    assert len(labels) > 40
    assert {one for one in labels if one[1] not in _CLOSED} == set()
