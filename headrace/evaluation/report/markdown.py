"""A report in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.evaluation.report.tables import Table


def markdown(title: str, about: str, plots: Mapping[str, str], tables: Sequence[Table]) -> str:
    """The whole document; `plots` are files beside it, and what they show."""
    parts = [f"# {title}", about]
    parts += [f"![{shows}]({file})" for file, shows in plots.items()]
    for table in tables:
        parts += [f"## {table.title}", table.note, _grid(table)]
    return "\n\n".join(parts) + "\n"


def _grid(table: Table) -> str:
    head = [_line(table.columns), _line(["---"] + ["---:"] * (len(table.columns) - 1))]
    return "\n".join([*head, *map(_line, table.rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
