"""Type and range checks of interactions, a chunk of rows at a time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.training.preparation import reasons
from headrace.training.preparation.cells import is_missing, numbers, texts, trimmed_texts
from headrace.training.preparation.kinds import KINDS
from headrace.training.preparation.moments import MomentReader
from headrace.training.preparation.reasons import Reason
from headrace.training.preparation.refusals import Refusals
from headrace.training.preparation.source import Chunk, Source, require

# `time` (seconds since 1970) and `position` are NaN where the file has none, `rating` where the
# event has none. `item` is a code of `ItemCodes`.
COLUMNS = ("user", "item", "kind", "rating", "time", "position", "line")
_NAMES = pa.array(list(KINDS))
_NUMBERS = np.array(list(KINDS.values()), dtype=np.int8)


class ItemCodes:
    """Numbers for items as they appear; the ids of a catalogue fit into memory."""

    def __init__(self) -> None:
        self._code: dict[str, int] = {}

    def of(self, ids: Any) -> NDArray[np.int32]:
        """Shapes: Arrow strings [R] -> [R]."""
        encoded = ids.dictionary_encode()
        code = self._code
        codes = [code.setdefault(name, len(code)) for name in encoded.dictionary.to_pylist()]
        found: NDArray[np.int32] = np.array(codes, dtype=np.int32)[encoded.indices.to_numpy()]
        return found

    @property
    def ids(self) -> list[str]:
        return list(self._code)


class EventChecks:
    """Takes rows that can be used, hands the others to `refusals`, counts what is missing."""

    def __init__(self, source: Source, refusals: Refusals) -> None:
        """Raises: DataInvalid if there are no columns for ids."""
        require(source, ("user_id", "item_id"))
        self._source = source
        self._refusals = refusals
        self._moments = MomentReader()
        self.items = ItemCodes()
        self.has_times = "timestamp" in source.columns
        self.has_positions = "position" in source.columns
        self.rows = 0
        self.missing = Counter[str]()

    @property
    def form(self) -> str | None:
        """Of the timestamps, once rows have been read."""
        return self._moments.form

    def accepted(self, chunk: Chunk) -> Any:
        """An Arrow table with `COLUMNS`, rows in the order of the file."""
        count = len(chunk.lines)
        self.rows += count + len(chunk.broken)
        self._refusals.add(self._source, chunk.broken, reasons.CELLS)
        good = np.ones(count, dtype=bool)

        def refuse(wrong: NDArray[np.bool_], reason: Reason) -> None:
            self._refusals.add(self._source, chunk.lines[good & wrong], reason)
            good[wrong] = False

        users, items = (texts(chunk.columns[name]) for name in ("user_id", "item_id"))
        for ids, empty, long in (
            (users, reasons.USER_EMPTY, reasons.USER_LONG),
            (items, reasons.ITEM_EMPTY, reasons.ITEM_LONG),
        ):
            length = pc.utf8_length(ids).to_numpy()
            refuse(length == 0, empty)
            refuse(length > reasons.MAX_ID, long)
        times = self._times(chunk, refuse)
        positions = self._positions(chunk, refuse)
        ratings = self._ratings(chunk, refuse)
        kinds = self._kinds(chunk, ratings, refuse)
        kept = np.flatnonzero(good)
        self.missing["rating"] += int(np.isnan(ratings[kept]).sum()) if self._has("rating") else 0
        columns = (
            users.take(pa.array(kept)),
            self.items.of(items.take(pa.array(kept))),
            kinds[kept],
            ratings[kept],
            times[kept],
            positions[kept],
            chunk.lines[kept],
        )
        return pa.table(dict(zip(COLUMNS, columns, strict=True)))

    def _has(self, column: str) -> bool:
        return column in self._source.columns

    def _times(self, chunk: Chunk, refuse: Any) -> NDArray[np.float64]:
        if not self.has_times:
            return np.full(len(chunk.lines), np.nan)
        seconds, out_of_range = self._moments.read(chunk.columns["timestamp"])
        refuse(np.isnan(seconds), reasons.TIME_UNREADABLE)
        refuse(out_of_range, reasons.TIME_RANGE)
        return seconds

    def _positions(self, chunk: Chunk, refuse: Any) -> NDArray[np.float64]:
        if not self.has_positions:
            return np.full(len(chunk.lines), np.nan)
        positions = numbers(chunk.columns["position"]).values
        refuse(np.isnan(positions), reasons.POSITION)
        return positions

    def _ratings(self, chunk: Chunk, refuse: Any) -> NDArray[np.float32]:
        if not self._has("rating"):
            return np.full(len(chunk.lines), np.nan, dtype=np.float32)
        ratings, unreadable = numbers(chunk.columns["rating"])
        refuse(unreadable, reasons.RATING_UNREADABLE)
        refuse((ratings < 1) | (ratings > 5), reasons.RATING_RANGE)
        return ratings.astype(np.float32)

    def _kinds(self, chunk: Chunk, ratings: NDArray[np.float32], refuse: Any) -> NDArray[np.int8]:
        """Where nothing is said, an event with a rating is a rating and another one a click."""
        rated = ~np.isnan(ratings)
        told = np.where(rated, KINDS["rating"], KINDS["click"]).astype(np.int8)
        if not self._has("event_type"):
            return told
        column = chunk.columns["event_type"]
        missing = is_missing(column)
        found = pc.index_in(pc.utf8_lower(trimmed_texts(column)), value_set=_NAMES)
        index = pc.fill_null(found, -1).to_numpy()
        kinds = np.where(missing, told, _NUMBERS[index])
        refuse((index < 0) & ~missing, reasons.KIND_UNKNOWN)
        refuse((kinds == KINDS["rating"]) & ~rated, reasons.RATING_MISSING)
        self.missing["event_type"] += int(missing.sum())
        return kinds.astype(np.int8)
