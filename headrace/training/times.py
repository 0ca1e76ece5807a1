"""Timestamps in the forms that people have them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# As seconds that is the year 5138, as milliseconds 1973.
_MILLISECONDS_FROM = 1e11


def seconds_of(column: pd.Series) -> NDArray[np.float64]:
    """Seconds since 1970 from seconds, milliseconds, ISO dates or datetimes; NaN: none of these."""
    if not pd.api.types.is_datetime64_any_dtype(column):
        numbers = pd.to_numeric(column, errors="coerce")
        if numbers.notna().any():
            seconds = numbers.to_numpy(np.float64)
            return np.where(np.abs(seconds) >= _MILLISECONDS_FROM, seconds / 1000, seconds)
    moments = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    since: pd.Series = (moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return since.to_numpy(np.float64)
