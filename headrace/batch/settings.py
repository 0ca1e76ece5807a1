"""What a run is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from headrace.bundle.scoring import CANDIDATES
from headrace.contracts.segments import SEGMENTS, SegmentName
from headrace.errors import InvalidInput, Violation
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.settings import TrendSettings

FORMATS = ("parquet", "csv", "kafka")


@dataclass(frozen=True)
class BatchSettings:
    """users: a file with an id a line; None: everybody, or who did something since `active_since`,
    or who is in `segment` of the behaviour analysis.

    general: whether those who can have or want no personal list get the one of `trend`.
    kafka_topic: where the lists go for format `kafka`; then `out` holds only what tells how far it
    came. part_users: people in one file. partition: (i, k), of k runs that share a folder this is
    the i-th, from 1.
    """

    bundle: str
    database_url: str
    out: Path
    format: str = "parquet"
    n: int = 10
    candidates: int = CANDIDATES
    users: Path | None = None
    active_since: datetime | None = None
    segment: SegmentName | None = None
    general: bool = True
    trend: TrendSettings = field(default_factory=TrendSettings)
    kafka: Kafka = ""
    kafka_topic: str = ""
    part_users: int = 10_000
    partition: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        """Raises: InvalidInput with a line for each field at fault."""
        of, parts = self.partition
        since = self.active_since
        wrong = [
            Violation(field, f"must be {right}, is {given}")
            for field, holds, right, given in (
                ("n", 1 <= self.n <= 200, "1 to 200", self.n),
                ("candidates", 1 <= self.candidates <= 2_000, "1 to 2,000", self.candidates),
                ("format", self.format in FORMATS, " or ".join(FORMATS), self.format),
                ("part_users", self.part_users >= 1, "1 or more", self.part_users),
                (
                    "kafka_topic",
                    bool(self.kafka_topic) == (self.format == "kafka"),
                    "given for format kafka, and for no other",
                    repr(self.kafka_topic),
                ),
                (
                    "active_since",
                    since is None or (since.tzinfo is not None and self.users is None),
                    "a moment with its zone, and goes without users",
                    since,
                ),
                (
                    "segment",
                    self.segment in (None, *SEGMENTS),
                    " or ".join(SEGMENTS),
                    self.segment,
                ),
                (
                    "segment",
                    self.segment is None or (self.users is None and since is None),
                    "given without users and active_since",
                    self.segment,
                ),
                ("partition", 1 <= of <= parts, "i/k with 1 <= i <= k", f"{of}/{parts}"),
            )
            if not holds
        ]
        if wrong:
            raise InvalidInput(wrong)
