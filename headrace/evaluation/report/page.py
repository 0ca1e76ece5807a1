"""A report as one HTML file: no script, no font and no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from headrace.evaluation.report.tables import Table

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
  color: #1b2733; background: #fff; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block;
  overflow-x: auto; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #d9e0e6;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
svg text { font: 13px system-ui, sans-serif; fill: #1b2733; }
@media (prefers-color-scheme: dark) {
  body { color: #dde5ec; background: #12181e; } svg text { fill: #dde5ec; }
  th, td { border-color: #33414d; }
}
"""


def page(title: str, about: str, plots: Sequence[str], tables: Sequence[Table]) -> str:
    """The whole document; `plots` are SVG elements."""
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(about)}</p>", *plots]
    for table in tables:
        body += [f"<h2>{escape(table.title)}</h2>", f"<p>{escape(table.note)}</p>", _grid(table)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _grid(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.columns)
    rows = (
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return (
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table>"
    )
