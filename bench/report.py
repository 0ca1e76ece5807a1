"""Percentiles over repeats, and the table that each measurement prints."""

import sys
from collections.abc import Sequence
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

_RESAMPLED = 4_000


def percentiles_ms(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p90 and p99 in milliseconds."""
    p50, p90, p99 = np.percentile(np.asarray(seconds) * 1000, [50, 90, 99])
    return float(p50), float(p90), float(p99)


def medians(repeats: Sequence[Sequence[float]]) -> list[float]:
    """The median of each figure over the repeats."""
    return [median(column) for column in zip(*repeats, strict=True)]


def median_within(values: Sequence[float]) -> tuple[float, float, float]:
    """The median, between the ends of its 95 % interval, by the bootstrap (Efron 1979)."""
    known = np.asarray(values)
    drawn = np.random.default_rng(0).choice(known, (_RESAMPLED, len(known)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return float(low), float(np.median(known)), float(high)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table; floats with two decimals."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row))
    width = None if sys.stdout.isatty() else 120
    Console(width=width).print(table)
