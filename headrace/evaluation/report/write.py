"""Writing a report's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from headrace.evaluation.compare import Comparison
from headrace.evaluation.measured import HEADLINE
from headrace.evaluation.report.curve import curve_plot, read_curve
from headrace.evaluation.report.markdown import markdown
from headrace.evaluation.report.page import page
from headrace.evaluation.report.plot import intervals_plot
from headrace.evaluation.report.tables import tables

_TITLE = "How good the recommendations are"


def write_report(
    found: Comparison, folder: Path, about: Sequence[str], *, curve: Path | None = None
) -> Sequence[Path]:
    """`report.md`, with its pictures, and `report.html` in `folder`; `about` says what was
    compared and how, `curve` is how the bundle learned.

    Raises: DataInvalid where `curve` is something else; OSError where a file cannot be read or
    written.
    """
    left_out = [f"Left out: {name} ({reason})." for name, reason in found.left_out.items()]
    text = " ".join([*about, _data(found), *left_out])
    plots = list(_plots(found, curve))
    folder.mkdir(parents=True, exist_ok=True)
    for file, _, drawing in plots:
        (folder / file).write_text(drawing, encoding="utf-8")
    pictures = {file: shows for file, shows, _ in plots}
    said = tables(found)
    written = folder / "report.md", folder / "report.html"
    written[0].write_text(markdown(_TITLE, text, pictures, said), encoding="utf-8")
    drawings = [drawing for _, _, drawing in plots]
    written[1].write_text(page(_TITLE, text, drawings, said, found.reference), encoding="utf-8")
    return written


def _plots(found: Comparison, curve: Path | None) -> Iterator[tuple[str, str, str]]:
    """File, what it shows, and the drawing."""
    for metric in HEADLINE:
        title = f"{metric}, test part, 95 % intervals"
        named = [(row.name, row.test.intervals[metric]) for row in found.rows]
        file = f"{metric.replace('@', '-at-').lower()}.svg"
        yield file, title, intervals_plot(title, named, found.reference)
    judgements = read_curve(curve) if curve else []
    if judgements:
        yield "learning-curve.svg", "NDCG@10 on validation over training", curve_plot(judgements)


def _data(found: Comparison) -> str:
    return (
        f"{found.people:,} people, {found.items:,} items, {found.events:,} events; "
        f"{len(found.split.test.users):,} people have a test item; split {found.split.digest[:12]}."
    )
