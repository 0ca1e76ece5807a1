"""A report as one HTML file: no script, no font and no picture from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from headrace.evaluation.report.tables import Table

_STYLE = """
:root { color-scheme: light dark; --ink: #1b2733; --quiet: #55636f; --paper: #fff; --line: #d9e0e6;
  --band: #f3f6f8; --own: #e3f0f6; --better: #0b6b3a; --worse: #a23b0c; --focus: #1f7396; }
@media (prefers-color-scheme: dark) { :root { --ink: #dde5ec; --quiet: #9fb0be; --paper: #12181e;
  --line: #33414d; --band: #19222a; --own: #1b3441; --better: #6fd39b; --worse: #f0a06e;
  --focus: #4aa8cf; } }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 74rem;
  padding: 2.5rem 1.25rem 4rem; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .25rem; }
p { max-width: 46rem; margin: .25rem 0 1rem; color: var(--quiet); }
figure { margin: 2rem 0 0; overflow-x: auto; }
figure svg { min-width: 40rem; }
code { font-size: .95em; }
.grid { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
.grid:focus-visible, figure:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .875rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { background: var(--band); color: var(--quiet); font-weight: 600; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
thead th:first-child { background: var(--band); }
tbody th { font-weight: 500; }
tr.own > * { background: var(--own) !important; }
.better { color: var(--better); } .worse { color: var(--worse); }
td.text { text-align: left; white-space: normal; }
"""


def page(
    title: str, about: str, plots: Mapping[str, str], tables: Sequence[Table], own: str
) -> str:
    """The whole document; `plots` are what is shown, and SVG elements; `own` is the row to stand
    out."""
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(about)}</p>"]
    # What scrolls on a small screen has a name and a place in the order of tabs.
    body += [
        f'<figure aria-label="{escape(shows)}" tabindex="0">{plot}</figure>'
        for shows, plot in plots.items()
    ]
    for table in tables:
        body += [f"<h2>{escape(table.title)}</h2>", f"<p>{_note(table.note)}</p>"]
        body.append(_grid(table, own))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _note(text: str) -> str:
    """Notes are Markdown in so far that signs stand between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _grid(table: Table, own: str) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.columns)
    rows = "\n".join(_row(row, own) for row in table.rows)
    return (
        f'<div class="grid" role="region" aria-label="{escape(table.title)}" tabindex="0">\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n</div>"
    )


def _row(row: Sequence[str], own: str) -> str:
    first, *others = row
    mark = ' class="own"' if first == own else ""
    cells = "".join(f"<td{_kind(cell)}>{escape(cell)}</td>" for cell in others)
    return f'<tr{mark}><th scope="row">{escape(first)}</th>{cells}</tr>'


def _kind(cell: str) -> str:
    if cell in ("better", "worse"):
        return f' class="{cell}"'
    return ' class="text"' if "(" in cell else ""
