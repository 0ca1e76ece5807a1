"""What a dashboard is made of, and its JSON as Grafana reads it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

SOURCE = {"type": "prometheus", "uid": "prometheus"}
"""As `provisioning/datasources.yaml` names it."""
_WIDTH = 24  # Grafana's grid

_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {"legend": {"displayMode": "list", "placement": "bottom"}},
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background"},
    "names": {
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "colorMode": "none",
        "orientation": "horizontal",
        "textMode": "name",
    },
}


@dataclass(frozen=True)
class Panel:
    """A graph, one number, or the names of the series that there are now.

    queries: PromQL by legend. threshold: from here on the value is a bad one, in `unit`.
    """

    title: str
    queries: dict[str, str]
    unit: str = "short"
    about: str = ""
    kind: Literal["timeseries", "stat", "names"] = "timeseries"
    width: int = 8
    threshold: float | None = None
    good: Literal["low", "high"] = "low"


@dataclass(frozen=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """A dashboard. `name` is the name of its file and the end of its address."""

    name: str
    title: str
    rows: Sequence[Row] = field(default_factory=tuple)

    def json(self) -> dict[str, Any]:
        return {
            "uid": f"headrace-{self.name.replace('_', '-')}",
            "title": self.title,
            "tags": ["headrace"],
            "schemaVersion": 39,
            "editable": False,
            "refresh": "10s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "links": [
                {
                    "type": "dashboards",
                    "tags": ["headrace"],
                    "title": "Headrace",
                    "asDropdown": True,
                }
            ],
            "panels": list(_placed(self.rows)),
        }


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """The panels from left to right and from top to bottom."""
    number = y = 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": _WIDTH, "h": 1},
            "panels": [],
        }
        y += 1
        for line in _lines(row.panels):
            x = 0
            # Beside a graph a number is as tall as that.
            tall = 4 if all(panel.kind == "stat" for panel in line) else 8
            for panel in line:
                number += 1
                yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": tall})
                x += panel.width
            y += tall


def _lines(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    """As many side by side as there is room for."""
    line: list[Panel] = []
    for panel in panels:
        if sum(one.width for one in line) + panel.width > _WIDTH:
            yield line
            line = []
        line.append(panel)
    yield line


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.threshold is not None:
        steps = [
            {"color": "green" if panel.good == "low" else "red", "value": None},
            {"color": "red" if panel.good == "low" else "green", "value": panel.threshold},
        ]
    shown: dict[str, Any] = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.kind == "timeseries":
        shown["min"] = 0
        shown["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 8,
            "showPoints": "never",
            "thresholdsStyle": {"mode": "off" if panel.threshold is None else "dashed"},
        }
    return {
        "id": number,
        "type": "timeseries" if panel.kind == "timeseries" else "stat",
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": shown, "overrides": []},
        "options": _OPTIONS[panel.kind],
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": SOURCE,
                "expr": query,
                "legendFormat": legend,
                "instant": panel.kind == "names",
            }
            for at, (legend, query) in enumerate(panel.queries.items())
        ],
    }
