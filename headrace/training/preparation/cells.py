"""Cells as text and as numbers, whatever type a column came in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# What people and programs write for "none", in lower case.
_MISSING = pa.array(["", "nan", "na", "n/a", "null", "none"])


class Numbers(NamedTuple):
    """Shapes: values [R] (NaN where missing or unreadable), unreadable [R]."""

    values: NDArray[np.float64]
    unreadable: NDArray[np.bool_]


def texts(column: Any) -> Any:
    """An Arrow array of strings, "" where a cell is missing; 7.0 reads 7, as in the id of a table.

    Shapes: [R] -> [R].
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
    elif pa.types.is_floating(kind):
        whole = pc.all(pc.equal(pc.floor(column), column), min_count=0).as_py()
        column = pc.cast(column, pa.int64()) if whole else column
    return pc.fill_null(pc.cast(column, pa.string()), "")


def is_text(column: Any) -> bool:
    """Whether cells are strings and may say anything."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def numbers(column: Any) -> Numbers:
    """Missing is not unreadable; infinite is. Shapes: [R] -> both [R]."""
    if not is_text(column):
        if not (_is_number(column.type) or pa.types.is_null(column.type)):
            nothing = np.full(len(column), np.nan)
            return Numbers(nothing, np.ones(len(column), dtype=bool))
        values = _floats(pc.cast(column, pa.float64(), safe=False))
        return _finite(values, np.zeros(len(column), dtype=bool))
    trimmed = trimmed_texts(column)
    missing = pc.is_in(pc.utf8_lower(trimmed), value_set=_MISSING)
    given = pc.if_else(missing, None, trimmed)
    try:
        return _finite(_floats(pc.cast(given, pa.float64())), np.zeros(len(column), dtype=bool))
    except pa.ArrowInvalid:  # some cell is no number: find out which
        series = pd.Series(given.to_numpy(zero_copy_only=False), dtype=object)
        values = pd.to_numeric(series, errors="coerce").to_numpy(np.float64)
        return _finite(values, np.isnan(values) & ~_bools(missing))


def trimmed_texts(column: Any) -> Any:
    """As `texts`, without blanks at the ends."""
    return pc.utf8_trim_whitespace(texts(column))


def is_missing(column: Any) -> NDArray[np.bool_]:
    """Marks cells that are null or say that there is nothing: [R]."""
    if not is_text(column):
        return _bools(pc.is_null(column, nan_is_null=True))
    return _bools(pc.is_in(pc.utf8_lower(trimmed_texts(column)), value_set=_MISSING))


def _is_number(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _finite(values: NDArray[np.float64], unreadable: NDArray[np.bool_]) -> Numbers:
    infinite = np.isinf(values)
    return Numbers(np.where(infinite, np.nan, values), unreadable | infinite)


def _floats(column: Any) -> NDArray[np.float64]:
    floats: NDArray[np.float64] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return floats


def _bools(column: Any) -> NDArray[np.bool_]:
    bools: NDArray[np.bool_] = column.to_numpy(zero_copy_only=False).astype(bool)
    return bools
