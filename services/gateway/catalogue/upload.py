"""Storing a file of items: what can be used counts, what cannot is reported."""

from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
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
    """One file. No more of it is in memory than a batch."""

    def __init__(self, store: Store) -> None:
        """store: adds or replaces items with different ids, all or none."""
        self._store = store
        self._report = Report()
        self._batch: dict[str, NewItem] = {}

    async def run(self, chunks: AsyncIterable[bytes], format: Format) -> Report:  # noqa: A002
        """Raises: InvalidInput where no line can be read; Unavailable, saying how far it came."""
        reader = Csv() if format == "csv" else JsonLines()
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
        return self._report

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
        if not self._batch:
            return
        items, self._batch = list(self._batch.values()), {}
        try:
            await self._store(items)
        except Unavailable as error:
            stored = self._report.stored - len(items)
            raise Unavailable(
                f"{error}. About {stored} lines were stored; send the file again: what did not "
                "change has no further effect"
            ) from error
