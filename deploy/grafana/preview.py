"""The dashboards as pages, drawn from a Prometheus without Grafana:
`python -m deploy.grafana.preview --prometheus http://127.0.0.1:9090 --minutes 15 --out pages`.
"""

import argparse
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import httpx

from deploy.grafana.boards import BOARDS
from deploy.grafana.drawing import Line, drawn
from deploy.grafana.panels import Board, Panel

Span = tuple[float, float]
Ask = Callable[[str, Span], Sequence[Any]]
"""Answers PromQL over a span with series as Prometheus' API has them."""

_POINTS = 120
_STYLE = Path(__file__).with_name("preview.css")


def asker(prometheus: str, rate_interval: str) -> Ask:
    """Asks the server at a URL. rate_interval: four readings at least, such as `1m`."""

    def ask(query: str, span: Span) -> Sequence[Any]:
        told = {
            "query": query.replace("$__rate_interval", rate_interval),
            "start": f"{span[0]:.3f}",
            "end": f"{span[1]:.3f}",
            "step": f"{(span[1] - span[0]) / _POINTS:.3f}",
        }
        answer = httpx.get(f"{prometheus}/api/v1/query_range", params=told, timeout=30)
        answer.raise_for_status()
        result: Sequence[Any] = answer.json()["data"]["result"]
        return result

    return ask


def page(board: Board, ask: Ask, span: Span) -> str:
    """A dashboard over a span of time, in one file."""
    rows = "".join(_row(row.title, row.panels, ask, span) for row in board.rows)
    links = "".join(_link(one, here=one is board) for one in BOARDS)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(board.title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style>"
        f"<nav>{links}</nav><main><h1>{escape(board.title)}</h1>{rows}</main></html>\n"
    )


def _link(board: Board, *, here: bool) -> str:
    current = ' aria-current="page"' if here else ""
    name = escape(board.title.removeprefix("Headrace / "))
    return f'<a href="{board.name}.html"{current}>{name}</a>'


def _row(title: str, panels: Sequence[Panel], ask: Ask, span: Span) -> str:
    cells = "".join(
        f'<section style="--width: {panel.width}"><h3>{escape(panel.title)}</h3>'
        f"{drawn(panel, _lines(panel, ask, span), span)}"
        f'<p class="about">{escape(panel.about)}</p></section>'
        for panel in panels
    )
    return f'<h2>{escape(title)}</h2><div class="row">{cells}</div>'


def _lines(panel: Panel, ask: Ask, span: Span) -> dict[str, Line]:
    return {
        legend: line
        for template, query in panel.queries.items()
        for legend, line in sorted(_series(template, ask(query, span)), key=_in_order)
    }


def _series(template: str, result: Sequence[Any]) -> Iterator[tuple[str, Line]]:
    # The 0 of `or vector(0)` has no labels; beside others it says nothing.
    labelled = [series for series in result if series["metric"]]
    for series in labelled or result:
        points = [(float(at), float(value)) for at, value in series["values"]]
        yield _named(template, series["metric"]), [one for one in points if math.isfinite(one[1])]


def _named(template: str, labels: Mapping[str, str]) -> str:
    named = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), template).strip(" :")
    return named or "none"


def _in_order(one: tuple[str, Line]) -> list[tuple[float, str]]:
    """By the numbers in the legend where it has some: 2-3 before 11-20."""
    parts = re.split(r"(\d+(?:\.\d+)?)", one[0])
    return [(float(part), "") if at % 2 else (math.inf, part) for at, part in enumerate(parts)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=60.0, help="up to now")
    parser.add_argument("--rate-interval", default="1m", help="four readings at least")
    parser.add_argument("--out", type=Path, default=Path("pages"))
    given = parser.parse_args()
    now = time.time()
    given.out.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        text = page(
            board,
            asker(given.prometheus, given.rate_interval),
            (now - given.minutes * 60, now),
        )
        (given.out / f"{board.name}.html").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
