"""A report's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headrace.evaluation.report.drawing import Drawn
from headrace.evaluation.report.markdown import markdown
from headrace.evaluation.report.page import page
from headrace.evaluation.report.tables import Table


def write_files(
    folder: Path,
    *,
    title: str,
    about: str,
    drawn: Sequence[Drawn],
    tables: Sequence[Table],
    own: str,
) -> Sequence[Path]:
    """`report.md` with its pictures beside it, and `report.html`; `own` is the row to stand out.

    Raises: OSError where the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for plot in drawn:
        (folder / plot.file).write_text(plot.svg, encoding="utf-8")
    pictures = {plot.file: plot.shows for plot in drawn}
    inline = {plot.shows: plot.svg for plot in drawn}
    written = folder / "report.md", folder / "report.html"
    written[0].write_text(markdown(title, about, pictures, tables), encoding="utf-8")
    written[1].write_text(page(title, about, inline, tables, own), encoding="utf-8")
    return written
