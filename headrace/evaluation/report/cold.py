"""Cold items as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headrace.evaluation.cold import ColdFigures, K
from headrace.evaluation.report.curve import Judgement, drawn_curve
from headrace.evaluation.report.drawing import Drawn
from headrace.evaluation.report.files import write_files
from headrace.evaluation.report.plot import intervals_plot
from headrace.evaluation.report.tables import Table

_SERVED = "served"


def write_cold_report(
    found: ColdFigures, folder: Path, about: Sequence[str], *, curve: Sequence[Judgement] = ()
) -> Sequence[Path]:
    """`report.md`, with its pictures, and `report.html` in `folder`; `about` says what was
    measured and how, `curve` is how the bundle learned.

    Raises: OSError where the folder cannot be written to.
    """
    drawn = [*(_plot(ranked, found) for ranked in found.recall), *drawn_curve(curve)]
    people = (
        f"{found.people:,} people, known by their warm items alone; {found.items:,} cold items, of "
        f"{found.described_items:,} of which something is known."
    )
    return write_files(
        folder,
        title="How well content places items that training never saw",
        about=" ".join([*about, people]),
        drawn=drawn,
        tables=[_table(ranked, found) for ranked in found.recall],
        own=_SERVED,
    )


def _plot(ranked: str, found: ColdFigures) -> Drawn:
    title = f"Recall@{K}, {ranked}, 95 % intervals"
    named = list(found.recall[ranked].items())
    file = f"recall-{ranked.replace(' ', '-')}.svg"
    return Drawn(file, title, intervals_plot(title, named, _SERVED))


def _table(ranked: str, found: ColdFigures) -> Table:
    of_known = found.described[ranked]
    return Table(
        f"Cold items, {ranked}",
        f"The share of the cold items that a person took which the first {K} places hold, mean "
        "over people, 95 % bootstrap intervals; and the same of items of which anything is known. "
        "tf-idf: cosine of an item's words to those of all that a person had, nothing trained.",
        ("order", f"recall@{K}", "of items with content"),
        [
            (order, str(value), str(of_known[order]))
            for order, value in found.recall[ranked].items()
        ],
    )
