"""Further columns of items: numbers, dates as years, or of no use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.training.preparation.cells import is_missing, is_text, numbers
from headrace.training.preparation.moments import iso_seconds
from headrace.training.preparation.scale import robust_scale

# A column of numbers may hold a few cells that are none.
_ENOUGH = 0.95
_YEAR_S = 365.2425 * 86_400


@dataclass(frozen=True)
class Attribute:
    """`values` [N] are NaN where missing; `fate` says what the column is taken for."""

    column: str
    name: str
    values: NDArray[np.float64]
    fate: str

    @property
    def missing(self) -> int:
        return int(np.isnan(self.values).sum())

    def normalisation(self) -> tuple[float, float] | None:
        """Centre and scale, as the bundle applies them; None where nothing is known."""
        given = self.values[~np.isnan(self.values)]
        return robust_scale(given) if len(given) else None


def attributes_of(columns: Mapping[str, Any]) -> tuple[Attribute, ...]:
    """Columns [N] by name; a map of numbers counts as many columns."""
    found: list[Attribute] = []
    for name, column in columns.items():
        if pa.types.is_map(column.type):
            found += [Attribute(name, key, of_key, "number") for key, of_key in _mapped(column)]
        else:
            found.append(_attribute(name, column))
    return tuple(found)


def _attribute(name: str, column: Any) -> Attribute:
    given = int((~is_missing(column)).sum())
    if not given:
        return _unused(name, column, "empty, not used")
    values = numbers(column).values
    readable = int((~np.isnan(values)).sum())
    if readable >= _ENOUGH * given:
        odd = given - readable
        return Attribute(name, name, values, f"number; {odd:,} odd cells" if odd else "number")
    if is_text(column) or pa.types.is_temporal(column.type):
        years = 1970 + iso_seconds(column) / _YEAR_S
        if int((~np.isnan(years)).sum()) >= _ENOUGH * given:
            return Attribute(name, f"{name}_year", years, "date, as a year with a fraction")
    return _unused(name, column, "neither numbers nor dates, not used")


def _unused(name: str, column: Any, fate: str) -> Attribute:
    return Attribute(name, name, np.full(len(column), np.nan), fate)


def _mapped(column: Any) -> list[tuple[str, NDArray[np.float64]]]:
    """A column [N] for each key of a column of maps."""
    cells = [dict(cell or ()) for cell in column.to_pylist()]
    keys = sorted({key for cell in cells for key in cell})
    return [(key, np.array([cell.get(key, np.nan) for cell in cells], float)) for key in keys]
