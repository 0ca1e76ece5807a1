"""How far a consumer has come in each partition, and where it must go back to after a failure."""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

P = TypeVar("P")


class Progress(Generic[P]):
    """Three marks a partition, each the offset to read next: safe <= done, and committed.

    done: the work is done. safe: … and Kafka has what it published. committed: … and the group
    would begin there.
    """

    def __init__(self) -> None:
        self._done: dict[P, int] = {}
        self._safe: dict[P, int] = {}
        self._committed: dict[P, int] = {}

    def begin(self, partition: P, offset: int) -> None:
        """Work at `offset` begins; where it is the partition's first, this is a safe place."""
        self._safe.setdefault(partition, offset)

    def did(self, partition: P, offset: int) -> None:
        """The work for the record at `offset` and all before it is done."""
        self._done[partition] = offset + 1

    def flushed(self) -> None:
        """Kafka has everything that was published so far."""
        self._safe.update(self._done)

    def uncommitted(self) -> dict[P, int]:
        """What to commit once it is flushed."""
        return {
            partition: offset
            for partition, offset in self._done.items()
            if self._committed.get(partition) != offset
        }

    def committed(self, offsets: Mapping[P, int]) -> None:
        self._committed.update(offsets)

    def rewind(self) -> dict[P, int]:
        """Takes back what was done since the last flush. Returns where to read on."""
        self._done = {partition: self._safe[partition] for partition in self._done}
        return dict(self._safe)

    def keep(self, partitions: Iterable[P]) -> None:
        """Forgets all partitions but these."""
        kept = set(partitions)
        for marks in (self._done, self._safe, self._committed):
            for partition in marks.keys() - kept:
                del marks[partition]
