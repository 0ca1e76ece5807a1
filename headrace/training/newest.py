"""Until when a model has learned what happened: what came later is new to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from headrace.training.preparation.output import INTERACTIONS
from headrace.training.preparation.postgres_source import InteractionsTable
from headrace.training.preparation.splits import PART_NAMES, TEST
from headrace.training.preparation.staging import REPORT

FACT = "learned_until"
"""Of a manifest's `training`: ISO 8601, UTC."""
_COLUMNS = ["timestamp", "part"]


def told_of(folder: Path) -> dict[str, str]:
    """`learned_until` of what prepared data hold outside the test part.

    Nothing where they come from files: only Postgres goes on from there, on the same clock.
    """
    sources = json.loads((folder / REPORT).read_text(encoding="utf-8"))["sources"]
    if sources[0] != InteractionsTable.name:
        return {}
    newest = -np.inf
    for batch in pq.ParquetFile(folder / INTERACTIONS).iter_batches(columns=_COLUMNS):
        times = batch.column("timestamp").to_numpy(zero_copy_only=False).astype(np.float64)
        learned = np.array(batch.column("part").to_pylist()) != PART_NAMES[TEST]
        newest = max(newest, float(times[learned].max(initial=-np.inf)))
    return {FACT: datetime.fromtimestamp(newest, UTC).isoformat()}
