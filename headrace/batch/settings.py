"""What a run is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headrace.bundle.scoring import CANDIDATES
from headrace.errors import InvalidInput, Violation

FORMATS = ("parquet", "csv")


@dataclass(frozen=True)
class BatchSettings:
    """users: a file with an id a line; None: everybody. part_users: people in one file.

    partition: (i, k), of k runs that share a folder this is the i-th, from 1.
    """

    bundle: str
    database_url: str
    out: Path
    format: str = "parquet"
    n: int = 10
    candidates: int = CANDIDATES
    users: Path | None = None
    part_users: int = 10_000
    partition: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        """Raises: InvalidInput with a line for each field at fault."""
        of, parts = self.partition
        wrong = [
            Violation(field, f"must be {right}, is {given}")
            for field, holds, right, given in (
                ("n", 1 <= self.n <= 200, "1 to 200", self.n),
                ("candidates", 1 <= self.candidates <= 2_000, "1 to 2,000", self.candidates),
                ("format", self.format in FORMATS, " or ".join(FORMATS), self.format),
                ("part_users", self.part_users >= 1, "1 or more", self.part_users),
                ("partition", 1 <= of <= parts, "i/k with 1 <= i <= k", f"{of}/{parts}"),
            )
            if not holds
        ]
        if wrong:
            raise InvalidInput(wrong)
