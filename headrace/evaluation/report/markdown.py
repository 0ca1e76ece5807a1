"""A report in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.evaluation.report.tables import Table


def markdown(title: str, about: str, tables: Sequence[Table]) -> str:
    """The whole document."""
    parts = [f"# {title}", about]
    for table in tables:
        parts += [f"## {table.title}", table.note, _grid(table)]
    return "\n\n".join(parts) + "\n"


def _grid(table: Table) -> str:
    head = [_line(table.columns), _line(["---"] + ["---:"] * (len(table.columns) - 1))]
    return "\n".join([*head, *map(_line, table.rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
