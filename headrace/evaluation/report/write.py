"""Writing a report's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headrace.evaluation.compare import Comparison
from headrace.evaluation.measured import HEADLINE
from headrace.evaluation.report.markdown import markdown
from headrace.evaluation.report.page import page
from headrace.evaluation.report.plot import intervals_plot
from headrace.evaluation.report.tables import tables


def write_report(found: Comparison, folder: Path, about: Sequence[str]) -> Sequence[Path]:
    """`report.md` and `report.html` in `folder`; `about` says what was compared and how.

    Raises: OSError where the folder cannot be written to.
    """
    left_out = [f"Left out: {name} ({reason})." for name, reason in found.left_out.items()]
    text = " ".join([*about, _data(found), *left_out])
    title = "How good the recommendations are"
    plots = [
        intervals_plot(
            f"{metric}, test part", [(row.name, row.test.intervals[metric]) for row in found.rows]
        )
        for metric in HEADLINE
    ]
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / "report.md", folder / "report.html"
    written[0].write_text(markdown(title, text, tables(found)), encoding="utf-8")
    written[1].write_text(page(title, text, plots, tables(found)), encoding="utf-8")
    return written


def _data(found: Comparison) -> str:
    return (
        f"{found.people:,} people, {found.items:,} items, {found.events:,} events; "
        f"{len(found.split.test.users):,} people have a test item; split {found.split.digest[:12]}."
    )
