"""The tables of a report, as text in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from headrace.evaluation.baselines.registry import NEURAL
from headrace.evaluation.compare import MAIN, Comparison, Row
from headrace.evaluation.intervals import Interval
from headrace.evaluation.measured import HEADLINE, K

_LISTS = (f"coverage@{K}", f"novelty@{K}", f"diversity@{K}")
_MORE = (f"MRR@{K}", f"recall@{K}", f"precision@{K}", "AUC")


class Table(NamedTuple):
    """Every row has a cell for each column; the first one names it."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(found: Comparison) -> Sequence[Table]:
    """What a report says."""
    among = (_sampled(found),) if found.sampled else ()
    return (_headline(found), _more(found), _slices(found), *among, _settings(found))


def _headline(found: Comparison) -> Table:
    def cells(row: Row) -> Sequence[str]:
        apart = found.difference(row)
        beside = "reference" if row.name == found.reference else apart.verdict
        return (
            row.name,
            *(str(row.test.intervals[metric]) for metric in HEADLINE),
            _signed(apart.interval) if row.name != found.reference else "",
            beside,
            f"{row.validation.intervals[MAIN].mean:.4f}",
            _fit(row),
        )

    return Table(
        "Next item, leave-one-out, whole catalogue",
        f"Test part, 95 % bootstrap intervals over people. The difference is in {MAIN} to "
        f"{found.reference}, paired by person; what its interval does not tell from 0 is within "
        "noise. Settings and epochs were chosen on validation; `+`: time ended the fit, and more "
        "might have helped.",
        ("model", *HEADLINE, "difference", "verdict", f"validation {MAIN}", "fit, s"),
        [cells(row) for row in found.rows],
    )


def _more(found: Comparison) -> Table:
    def cells(row: Row) -> Sequence[str]:
        means = (row.test.intervals.get(metric) for metric in _MORE)
        return (
            row.name,
            *("" if mean is None else f"{mean.mean:.4f}" for mean in means),
            *(f"{row.test.lists[name]:.4f}" if name in row.test.lists else "" for name in _LISTS),
        )

    return Table(
        "Other metrics",
        "Test part. With one right answer a person, recall is the hit rate and precision its "
        "tenth. AUC needs a score for every item, which what is served does not compute. "
        "Novelty in bits; diversity by category.",
        ("model", *_MORE, *_LISTS),
        [cells(row) for row in found.rows],
    )


def _slices(found: Comparison) -> Table:
    names = list(found.rows[0].test.slices) if found.rows else []

    def cells(row: Row) -> Sequence[str]:
        of_row = [row.test.slices[name] for name in names]
        return (
            row.name,
            *(f"{of.values[MAIN].mean:.4f}" if of.questions else "" for of in of_row),
        )

    sizes = [found.rows[0].test.slices[name].questions for name in names]
    return Table(
        f"{MAIN} by slice",
        "Test part. New and heavy users: the fifths with the shortest and the longest histories. "
        "Popular items have half of training's events together, cold ones none.",
        ("model", *(f"{name} ({size})" for name, size in zip(names, sizes, strict=True))),
        [cells(row) for row in found.rows],
    )


def _sampled(found: Comparison) -> Table:
    return Table(
        f"Among {found.sampled} items drawn at random",
        "Test part: the target against items that its person never touched, drawn with a fixed "
        "seed, as in He et al. 2017. Only for comparing with tables made that way: which of two "
        "models is better may come out otherwise than on the whole catalogue (Krichene and Rendle "
        "2020).",
        ("model", *HEADLINE),
        [
            (row.name, *(str(row.sampled[metric]) for metric in HEADLINE))
            for row in sorted(found.rows, key=lambda row: -row.sampled[MAIN].mean)
        ],
    )


def _settings(found: Comparison) -> Table:
    return Table(
        "Settings",
        "Chosen on validation where a baseline has several; a network's time is a fair share of "
        "what the others leave.",
        ("model", "settings", "time allowed, s"),
        [
            (row.name, row.fit.chosen, f"{row.fit.allowed_s:.0f}" if row.name in NEURAL else "")
            for row in found.rows
        ],
    )


def _signed(found: Interval) -> str:
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def _fit(row: Row) -> str:
    if row.fit.seconds is None:
        return ""
    return f"{row.fit.seconds:.0f}{'+' if row.fit.cut_short else ''}"
