"""What rules and dashboards ask of Prometheus, and which labels an answer has."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import promql_parser

from deploy.grafana.boards import BOARDS
from tests.integration.deploy.test_rules import rules

OF_PROMETHEUS = {"job", "instance", "__name__"}
"""Labels that every sample gets when it is read."""

Labels = Mapping[str, set[str]]
"""Of each sample, by its name: those that its process gives it."""


def queries() -> dict[str, str]:
    """Every PromQL of rules and panels, by where it stands."""
    found = {f"rule {rule.get('alert') or rule['record']}": rule["expr"] for rule in rules()}
    return found | {place: query for place, _, query in panels()}


def panels() -> Iterator[tuple[str, str, str]]:
    """Each query of a panel: where it stands, its legend, and PromQL."""
    for board in BOARDS:
        for row in board.rows:
            for panel in row.panels:
                for legend, query in panel.queries.items():
                    place = f"{board.name}: {panel.title}: {legend}"
                    yield place, legend, query.replace("$__rate_interval", "1m")


def expressions(expression: object) -> Iterator[object]:
    """An expression and everything within it."""
    yield expression
    for part in ("expr", "lhs", "rhs", "param", "vector_selector"):
        if (inner := getattr(expression, part, None)) is not None:
            yield from expressions(inner)
    if isinstance(expression, promql_parser.Call):
        for argument in expression.args:
            yield from expressions(argument)


class Selector(NamedTuple):
    """Asks for a metric. labels: what each has to be, by its name."""

    name: str
    labels: Mapping[str, str]
    expression: promql_parser.VectorSelector


def selectors(query: str) -> list[Selector]:
    """Every selector of a metric within a query."""
    return [
        Selector(str(one.name), {part.name: part.value for part in one.matchers.matchers}, one)
        for one in expressions(promql_parser.parse(query))
        if isinstance(one, promql_parser.VectorSelector)
    ]


def metric_of(sample: str) -> str:
    """The name of the metric, without what tells its samples apart."""
    return re.sub("_(bucket|sum|count|total|created)$", "", sample)


def labels_of(expression: object, known: Labels) -> set[str]:
    """The labels that an answer may have. known: of samples, those of recording rules included."""
    match expression:
        case promql_parser.VectorSelector():
            name = str(expression.name)
            bucket = {"le"} if name.endswith("_bucket") else set()
            labels = known[name] | OF_PROMETHEUS | bucket
        case promql_parser.AggregateExpr():
            modifier = expression.modifier
            named = set() if modifier is None else set(modifier.labels)
            without = (
                modifier is not None and modifier.type == promql_parser.AggModifierType.Without
            )
            labels = labels_of(expression.expr, known) - named if without else named
        case promql_parser.BinaryExpr():
            mine, other = labels_of(expression.lhs, known), labels_of(expression.rhs, known)
            grouped = set(getattr(expression.modifier, "group_labels", None) or ())
            # A number has no labels.
            labels = mine | other if str(expression.op) == "or" else (mine or other) | grouped
        case promql_parser.Call():
            named = {expression.args[1].val} if expression.func.name == "label_replace" else set()
            labels = named.union(*(labels_of(argument, known) for argument in expression.args))
        case _:
            inner = getattr(expression, "vector_selector", None) or getattr(
                expression, "expr", None
            )
            labels = set() if inner is None else labels_of(inner, known)
    return labels
