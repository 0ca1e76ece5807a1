"""Rows left out: counted by reason, the first of each remembered, all written aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from headrace.errors import DataInvalid
from headrace.training.preparation.reasons import Reason
from headrace.training.preparation.source import Source

_SCHEMA = pa.schema(
    [("file", pa.string()), ("line", pa.int64()), ("column", pa.string()), ("reason", pa.string())]
)


@dataclass(frozen=True)
class _First:
    line: int
    reason: Reason


class Refusals:
    """Writes `refused.csv`: file, line (a row of Parquet and of a table), column, reason."""

    def __init__(self, path: Path) -> None:
        self.counts: dict[str, Counter[Reason]] = {}
        self._first: dict[str, _First] = {}
        self._writer: Any = csv.CSVWriter(str(path), _SCHEMA)

    def __enter__(self) -> Refusals:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.close()

    def add(self, source: Source, lines: NDArray[np.int64], reason: Reason) -> None:
        """Shapes: lines [R]."""
        if not len(lines):
            return
        self.counts.setdefault(source.name, Counter())[reason] += len(lines)
        line = int(lines.min())
        if reason.malformed:
            first = self._first.get(source.name)
            if first is None or line < first.line:
                self._first[source.name] = _First(line, reason)
        cells = [source.name, None, reason.column, reason.name]
        columns = [
            pa.array(lines) if cell is None else pa.repeat(cell, len(lines)) for cell in cells
        ]
        self._writer.write_table(pa.table(columns, schema=_SCHEMA))

    def malformed(self, source: Source) -> int:
        """How many rows of a source are wrong in themselves."""
        counts = self.counts.get(source.name, Counter())
        return sum(count for reason, count in counts.items() if reason.malformed)

    def check(self, source: Source, rows: int, max_share: float) -> None:
        """Raises: DataInvalid if more than `max_share` of the rows of a source are malformed."""
        wrong = self.malformed(source)
        if not wrong or wrong <= max_share * rows:
            return
        first = self._first[source.name]
        alike = self.counts[source.name][first.reason]
        more = f" ({alike:,} such rows)" if alike > 1 else ""
        column = f"column {first.reason.column}: " if first.reason.column else ""
        raise DataInvalid(
            f"{source.name}: {source.place} {first.line}: {column}{first.reason.phrase}{more}; "
            f"{wrong:,} of {rows:,} rows cannot be used; up to {max_share:.0%} would be left out"
        )
