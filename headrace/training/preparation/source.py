"""Where rows come from: one interface over CSV, Parquet and Postgres."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataInvalid

# Rows read at a time: some 50 MB as Python strings.
CHUNK = 131_072


@dataclass(frozen=True)
class Chunk:
    """R rows: Arrow arrays by column, the line of each, and lines that are no rows.

    Shapes: columns [R] each, lines [R], broken (any length).
    """

    columns: Mapping[str, Any]
    lines: NDArray[np.int64]
    broken: NDArray[np.int64]


class Source(Protocol):
    """A table that is read once, from its start, in chunks."""

    @property
    def name(self) -> str:
        """As people know it: a path or a table."""
        ...

    @property
    def place(self) -> str:
        """What `Chunk.lines` counts: "line" or "row"."""
        ...

    @property
    def folder(self) -> Path | None:
        """Where relative paths in cells begin; None: cells have no paths."""
        ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def chunks(self) -> Iterator[Chunk]:
        """Raises: DataInvalid where the rest cannot be read."""
        ...

    def share_read(self) -> float | None:
        """How much of the whole the chunks so far are, above 0 to 1; None: nobody knows."""
        ...


def require(source: Source, names: Iterable[str]) -> None:
    """Raises: DataInvalid if a column is missing."""
    missing = [name for name in names if name not in source.columns]
    if missing:
        raise DataInvalid(
            f"{source.name}: {source.place} 1: lacks the column {', '.join(missing)}; "
            f"it has {', '.join(source.columns)}"
        )
