"""Storing a file of items: what can be used counts, what cannot is reported."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.contracts.items import NewItem
from headrace.contracts.violations import check
from headrace.errors import InvalidInput, Unavailable
from services.gateway.catalogue.lines import (
    Csv,
    Format,
    JsonLines,
    Line,
    Refused,
    RefusedAt,
    lines_of,
)

BATCH = 500
# A batch takes the catalogue's owner three steps, each in a thread of its own.
UNDER_WAY = 3
LINES_TOLD = 1_000

Store = Callable[[Sequence[NewItem]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """column: empty where it is the whole line."""

    line: int
    column: str
    reason: str


@dataclass(slots=True)
class Report:
    """What became of a file. lines: the first LINES_TOLD of those refused."""

    stored: int = 0
    refused: int = 0
    lines: list[RefusedLine] = field(default_factory=list)

    def refuse(self, line: int, column: str, reason: str) -> None:
        self.refused += 1
        if len(self.lines) < LINES_TOLD:
            self.lines.append(RefusedLine(line, column, reason))


class Upload:
    """One file. No more of it is in memory than the batches under way and the next one."""

    def __init__(self, store: Store) -> None:
        """store: adds or replaces items with different ids, all or none."""
        self._store = store
        self._report = Report()
        self._batch: dict[str, NewItem] = {}
        self._under_way: deque[_Storing] = deque()
        self._confirmed = 0

    async def run(self, chunks: AsyncIterable[bytes], format: Format) -> Report:  # noqa: A002
        """Raises: InvalidInput where no line can be read; Unavailable, saying how far it came."""
        try:
            await self._read(chunks, Csv() if format == "csv" else JsonLines())
            while self._under_way:
                await self._oldest()
        finally:
            # The first failure is told; what else is under way comes to an end of its own.
            await asyncio.gather(*(one.done for one in self._under_way), return_exceptions=True)
        return self._report

    async def _read(self, chunks: AsyncIterable[bytes], reader: Csv | JsonLines) -> None:
        async for line in lines_of(chunks, quotes=reader.quotes):
            if isinstance(line, RefusedAt):
                self._report.refuse(line.number, "", line.reason)
                continue
            item = self._item(reader, line)
            if item is None:
                continue
            # Of two lines with one id the later counts, in whatever batches they are.
            if len(self._batch) == BATCH and item.item_id not in self._batch:
                await self._flush()
            self._batch[item.item_id] = item
            self._report.stored += 1
        await self._flush()

    def _item(self, reader: Csv | JsonLines, line: Line) -> NewItem | None:
        try:
            fields = reader.fields(line)
            return None if fields is None else check(NewItem, fields)
        except Refused as error:
            self._report.refuse(line.number, error.column, error.reason)
        except InvalidInput as error:
            if error.violations[0].field == "header":
                raise
            first = error.violations[0]
            self._report.refuse(line.number, first.field, first.reason)
        return None

    async def _flush(self) -> None:
        """Begins to store the batch, once nothing that it replaces is under way."""
        if not self._batch:
            return
        items, self._batch = self._batch, {}
        while len(self._under_way) == UNDER_WAY or any(
            not items.keys().isdisjoint(storing.items) for storing in self._under_way
        ):
            await self._oldest()
        store = asyncio.ensure_future(self._store(list(items.values())))
        self._under_way.append(_Storing(items, store))

    async def _oldest(self) -> None:
        """Raises: Unavailable, saying how far the file came."""
        storing = self._under_way.popleft()
        try:
            await storing.done
        except Unavailable as error:
            raise Unavailable(
                f"{error}. About {self._confirmed} lines were stored; send the file again: what "
                "did not change has no further effect"
            ) from error
        self._confirmed += len(storing.items)


@dataclass(frozen=True, slots=True)
class _Storing:
    items: Mapping[str, NewItem]
    done: "asyncio.Future[object]"
