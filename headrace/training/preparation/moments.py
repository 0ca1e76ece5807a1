"""Timestamps in the forms that people have them; the first rows of a file decide which."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.training.preparation.cells import is_text, numbers, trimmed_texts

Form = Literal["seconds", "milliseconds", "microseconds", "nanoseconds", "ISO 8601", "datetime"]

# As seconds 1e11 is the year 5138, as milliseconds 1973; the next units follow by thousands.
_UNITS: tuple[tuple[float, Form, float], ...] = (
    (1e11, "seconds", 1.0),
    (1e14, "milliseconds", 1e3),
    (1e17, "microseconds", 1e6),
    (np.inf, "nanoseconds", 1e9),
)
LATEST_S = 4_102_444_800.0  # 2100-01-01


class Moments(NamedTuple):
    """Shapes: seconds since 1970 [R] (NaN: unreadable), out_of_range [R]."""

    seconds: NDArray[np.float64]
    out_of_range: NDArray[np.bool_]


class MomentReader:
    """`form` is None before the first rows are read, and the same for the whole file then.

    One form a file: a row of milliseconds among seconds is refused instead of guessed at.
    """

    def __init__(self) -> None:
        self.form: Form | None = None
        self._per_second = 1.0

    def read(self, column: Any) -> Moments:
        """Shapes: [R] -> both [R]."""
        if self.form is None:
            self.form = self._decide(column)
        seconds = self._seconds(column)
        wrong = (seconds < 0) | (seconds >= LATEST_S)
        return Moments(seconds, wrong)

    def _decide(self, column: Any) -> Form:
        if pa.types.is_temporal(column.type):
            return "datetime"
        values = numbers(column).values
        given = np.abs(values[~np.isnan(values)])
        if is_text(column) and len(given) < np.isfinite(iso_seconds(column)).sum():
            return "ISO 8601"
        middle = float(np.median(given)) if len(given) else 0.0
        form, self._per_second = next((form, per) for top, form, per in _UNITS if middle < top)
        return form

    def _seconds(self, column: Any) -> NDArray[np.float64]:
        if self.form == "ISO 8601":
            return iso_seconds(column)
        if self.form == "datetime":
            micros = pc.cast(pc.cast(column, pa.timestamp("us")), pa.int64())
            return numbers(micros).values / 1e6
        return numbers(column).values / self._per_second


def iso_seconds(column: Any) -> NDArray[np.float64]:
    """Seconds since 1970; moments without a zone are UTC, NaN where a cell is none: [R]."""
    cells = pd.Series(trimmed_texts(column).to_numpy(zero_copy_only=False), dtype=object)
    moments = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    micros = moments.dt.tz_localize(None).to_numpy("datetime64[us]")
    return np.where(np.isnat(micros), np.nan, micros.astype(np.int64) / 1e6)
