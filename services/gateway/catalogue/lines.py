"""Files of items, line by line, from pieces of any size: no more of them in memory than a line."""

import codecs
import csv
import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from headrace.contracts.currencies import smallest_units
from headrace.errors import InvalidInput

Format = Literal["csv", "json_lines"]
LINE_BYTES = 512 * 1024

_LISTS = ("categories", "tags")
_PLAIN = (
    "item_id", "title", "description", "picture_url", "availability", "publish_at", "expire_at",
)  # fmt: skip
_COLUMNS = (*_PLAIN, *_LISTS, "price", "currency")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_MAPS = ("attributes", "text_attributes")
_DELIMITERS = ",;\t"


class Refused(Exception):
    """A line that cannot be used. column: empty where it is the whole line."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


class RefusedAt(Refused):
    """A line that could not even be read."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__("", reason)
        self.number = number


@dataclass(frozen=True, slots=True)
class Line:
    """number: of its first line in the file, from 1. bytes: without the line's end."""

    number: int
    bytes: bytes


class Reader(Protocol):
    """Makes items of lines. `quotes`: a line's end between quotes does not end the line."""

    quotes: bool

    def fields(self, line: Line) -> Mapping[str, Any] | None:
        """The fields of an item, unchecked; None for a line without one. Raises: Refused."""


async def lines_of(
    chunks: AsyncIterable[bytes], *, quotes: bool
) -> AsyncIterator[Line | RefusedAt]:
    """Lines that are not empty; and those that could not be read, with what is wrong.

    Raises: InvalidInput for a file in UTF-16 or UTF-32.
    """
    cutter = _Cutter(quotes)
    async for chunk in chunks:
        for line in cutter.feed(chunk):
            yield line
    for line in cutter.end():
        yield line


class JsonLines:
    """A JSON object a line."""

    quotes = False

    def fields(self, line: Line) -> Mapping[str, Any] | None:
        try:
            body = json.loads(_text(line))
        except RecursionError as error:
            raise Refused("", "is nested too deep") from error
        except ValueError as error:
            raise Refused("", f"is no JSON: {error}") from error
        if not isinstance(body, dict):
            raise Refused("", "must be a JSON object")
        return body


class Csv:
    """A header, then a line an item."""

    quotes = True

    def __init__(self) -> None:
        self._header: list[str] = []
        self._delimiter = ","

    def fields(self, line: Line) -> Mapping[str, Any] | None:
        """Raises: InvalidInput for a header that cannot be used."""
        if not self._header:
            self._read_header(line)
            return None
        cells = self._cells(line)
        if len(cells) != len(self._header):
            raise Refused("", f"has {len(cells)} cells, the header has {len(self._header)}")
        given = {name: cell for name, cell in zip(self._header, cells, strict=True) if cell}
        return _item({name: self._pointed(name, cell) for name, cell in given.items()})

    def _pointed(self, name: str, cell: str) -> str:
        """A number with a decimal point: where commas do not part cells, they begin decimals."""
        if self._delimiter == "," or not (name == "price" or name.startswith("attributes.")):
            return cell
        return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell

    def _read_header(self, line: Line) -> None:
        try:
            text = _text(line)
            self._delimiter = max(_DELIMITERS, key=text.count)
            header = [name.strip() for name in self._cells(line)]
        except Refused as error:
            raise InvalidInput.of("header", error.reason) from error
        for name in header:
            kind, dot, rest = name.partition(".")
            if name not in _COLUMNS and not (kind in _MAPS and dot and rest):
                allowed = ", ".join((*_COLUMNS, *(f"{kind}.<name>" for kind in _MAPS)))
                raise InvalidInput.of("header", f"column {name[:100]!r} is none of {allowed}")
        for name in ("item_id", "title"):
            if name not in header:
                raise InvalidInput.of("header", f"column {name} is missing")
        if len(set(header)) < len(header):
            raise InvalidInput.of("header", "has a column twice")
        self._header = header

    def _cells(self, line: Line) -> list[str]:
        try:
            rows = list(csv.reader([_text(line)], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            raise Refused("", f"is no CSV: {error}") from error
        return [cell.strip() for cell in rows[0]] if rows else []


def _item(cells: Mapping[str, str]) -> dict[str, Any]:
    """The fields of an item from the cells that are not empty."""
    item: dict[str, Any] = {name: cells[name] for name in _PLAIN if name in cells}
    for name in _LISTS:
        if name in cells:
            parts = (part.strip() for part in cells[name].split("|"))
            item[name] = [part for part in parts if part]
    for name, cell in cells.items():
        kind, dot, rest = name.partition(".")
        if dot:
            item.setdefault(kind, {})[rest] = _number(name, cell) if kind == "attributes" else cell
    if "price" in cells:
        currency = cells.get("currency", "")
        if not currency:
            raise Refused("currency", "is missing: a price needs one, such as EUR")
        try:
            amount = smallest_units(cells["price"], currency)
        except ValueError as error:
            raise Refused("price", str(error)) from error
        item["price"] = {"amount": amount, "currency": currency}
    return item


def _number(column: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError as error:
        raise Refused(column, f"must be a number, not {cell[:40]!r}") from error


def _text(line: Line) -> str:
    try:
        return line.bytes.decode()
    except UnicodeDecodeError as error:
        place = error.start + 1
        raise Refused(
            "", f"is not UTF-8: byte {place} of the line is {line.bytes[place - 1]:#x}"
        ) from error


class _Cutter:
    """Cuts pieces into lines."""

    def __init__(self, quotes: bool) -> None:
        self._quotes = quotes
        self._begun = False
        self._rest = b""
        self._number = 1
        self._record: list[bytes] = []
        self._record_number = 1
        self._size = 0
        self._open = False

    def feed(self, chunk: bytes) -> list[Line | RefusedAt]:
        data = self._rest + chunk
        if not self._begun:
            if len(data) < 4 and chunk:
                self._rest = data
                return []
            data = _without_mark(data)
            self._begun = True
        *whole, self._rest = data.split(b"\n")
        found = [line for one in whole for line in self._take(one)]
        if len(self._rest) > LINE_BYTES:
            # What is longer than any item is thrown away as it comes.
            self._size += len(self._rest)
            self._rest = b""
        return found

    def end(self) -> list[Line | RefusedAt]:
        data = self._rest if self._begun else _without_mark(self._rest)
        found = self._take(data)
        if self._open:
            self._open = False
            found.append(RefusedAt(self._record_number, "a quote is opened and never closed"))
        return found

    def _take(self, one: bytes) -> list[Line | RefusedAt]:
        """A piece up to a line's end."""
        if not self._record:
            self._record_number = self._number
        self._number += 1
        self._size += len(one)
        if self._size <= LINE_BYTES:
            self._record.append(one)
            if self._quotes and one.count(b'"') % 2:
                self._open = not self._open
        else:
            self._open = False
        if self._open:
            return []
        too_long = self._size > LINE_BYTES
        record, self._record, self._size = b"\n".join(self._record), [], 0
        if too_long:
            return [RefusedAt(self._record_number, f"is longer than {LINE_BYTES} bytes")]
        record = record.removesuffix(b"\r")
        return [Line(self._record_number, record)] if record.strip() else []


def _without_mark(data: bytes) -> bytes:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        raise InvalidInput.of("file", "must be UTF-8; this is UTF-16 or UTF-32")
    return data.removeprefix(codecs.BOM_UTF8)
