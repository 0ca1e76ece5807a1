"""How far preparation is: rows a second and the time left, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

from headrace.training.preparation.source import Chunk, Source

_T = TypeVar("_T")


class Watch(Protocol):
    def chunks(self, source: Source) -> Iterator[Chunk]:
        """The rows of a source, watched."""
        ...

    def pieces(self, doing: str, pieces: Iterable[_T], count: int) -> Iterator[_T]:
        """Pieces of a later pass, watched."""
        ...


class Unwatched:
    """Shows nothing."""

    def chunks(self, source: Source) -> Iterator[Chunk]:
        return source.chunks()

    def pieces(self, doing: str, pieces: Iterable[_T], count: int) -> Iterator[_T]:
        return iter(pieces)


class Bars:
    """A bar for each pass, on stderr."""

    def chunks(self, source: Source) -> Iterator[Chunk]:
        with _bar(f"reading {source.name}", " rows") as bar:
            for chunk in source.chunks():
                rows = len(chunk.lines) + len(chunk.broken)
                # Nobody knows how many rows a text file has before its end: as many as there
                # are of them in the part that was read.
                if share := source.share_read():
                    bar.total = round((bar.n + rows) / share)
                bar.update(rows)
                yield chunk
            bar.total = bar.n

    def pieces(self, doing: str, pieces: Iterable[_T], count: int) -> Iterator[_T]:
        with _bar(doing, " parts", count) as bar:
            for piece in pieces:
                yield piece
                bar.update()


class Watched:
    """A source whose rows are watched."""

    def __init__(self, source: Source, watch: Watch) -> None:
        self._source, self._watch = source, watch
        self.name, self.place, self.columns = source.name, source.place, source.columns
        self.folder = source.folder

    def chunks(self) -> Iterator[Chunk]:
        return self._watch.chunks(self._source)

    def share_read(self) -> float | None:
        return self._source.share_read()


def _bar(doing: str, unit: str, total: int | None = None) -> Any:
    return tqdm(
        desc=doing, total=total, unit=unit, unit_scale=True, file=sys.stderr, mininterval=0.5
    )
