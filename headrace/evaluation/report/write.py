"""A comparison as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from headrace.evaluation.compare import Comparison
from headrace.evaluation.measured import HEADLINE
from headrace.evaluation.report.curve import Judgement, drawn_curve
from headrace.evaluation.report.drawing import Drawn
from headrace.evaluation.report.files import write_files
from headrace.evaluation.report.plot import intervals_plot
from headrace.evaluation.report.tables import tables


def write_report(
    found: Comparison, folder: Path, about: Sequence[str], *, curve: Sequence[Judgement] = ()
) -> Sequence[Path]:
    """`report.md`, with its pictures, and `report.html` in `folder`; `about` says what was
    compared and how, `curve` is how the bundle learned.

    Raises: OSError where the folder cannot be written to.
    """
    left_out = [f"Left out: {name} ({reason})." for name, reason in found.left_out.items()]
    text = " ".join([*about, _data(found), *left_out])
    return write_files(
        folder,
        title="How good the recommendations are",
        about=text,
        drawn=list(_drawn(found, curve)),
        tables=tables(found),
        own=found.reference,
    )


def _drawn(found: Comparison, curve: Sequence[Judgement]) -> Iterator[Drawn]:
    for metric in HEADLINE:
        title = f"{metric}, test part, 95 % intervals"
        named = [(row.name, row.test.intervals[metric]) for row in found.rows]
        file = f"{metric.replace('@', '-at-').lower()}.svg"
        yield Drawn(file, title, intervals_plot(title, named, found.reference))
    yield from drawn_curve(curve)


def _data(found: Comparison) -> str:
    return (
        f"{found.people:,} people, {found.items:,} items, {found.events:,} events; "
        f"{len(found.split.test.users):,} people have a test item; split {found.split.digest[:12]}."
    )
