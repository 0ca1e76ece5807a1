"""Reading interactions and items, with errors that name the file, the line and the column."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headrace.api.events.v1.events_pb2 import EventType
from headrace.bundle.content import ItemContent
from headrace.errors import DataInvalid
from headrace.training.log import EventLog
from headrace.training.times import seconds_of

KINDS = {
    name.removeprefix("EVENT_TYPE_").lower(): number for name, number in EventType.items() if number
}
_TEXT = ("title", "description")
_LISTS = {"categories": "categories", "genres": "categories", "tags": "tags"}


def read_log(interactions: Path, items: Path | None = None) -> EventLog:
    """Read both files; the catalogue is every item of either.

    Events are put in order by person and then by `timestamp` or `position`, ties and files with
    neither in the order of the file.

    Raises:
        DataInvalid: a file cannot be read, lacks a column, or has a value that cannot be used.
    """
    events = read_table(interactions)
    _require(events, interactions, ("user_id", "item_id"))
    if events.empty:
        raise DataInvalid(f"{interactions}: has no rows; at least one interaction is needed")
    for column in ("user_id", "item_id"):
        _refuse(interactions, column, events[column] == "", "is empty; it must name something")
    times, order = _times_and_order(events, interactions)
    # First appearance numbers people and items: neither the ids nor their order mean anything.
    users, user_ids = pd.factorize(events["user_id"])
    catalogue = _catalogue(read_items(items) if items else [], events["item_id"])
    column_of = {item.item_id: column for column, item in enumerate(catalogue)}
    sorting = np.lexsort((order, users))  # stable: ties keep the order of the file
    users = users[sorting]
    return EventLog(
        user_ids=np.asarray(user_ids, dtype=object),
        catalogue=catalogue,
        offsets=np.searchsorted(users, np.arange(len(user_ids) + 1)).astype(np.int64),
        items=events["item_id"].map(column_of).to_numpy().astype(np.int64)[sorting],
        kinds=_kinds(events, interactions)[sorting],
        gap_s=_gaps(users, times[sorting]),
        ratings=_ratings(events, interactions)[sorting],
    )


def read_items(path: Path) -> list[ItemContent]:
    """Read the items file; numeric columns that have no other meaning are attributes.

    Raises:
        DataInvalid: as `read_log`.
    """
    table = read_table(path)
    _require(table, path, ("item_id",))
    _refuse(path, "item_id", table["item_id"] == "", "is empty; it must name an item")
    _refuse(path, "item_id", table["item_id"].duplicated(), "names an item for the second time")
    columns: dict[str, list[Any]] = {name: _text(table, name) for name in _TEXT}
    lists: dict[str, list[tuple[str, ...]]] = {"categories": [()] * len(table), "tags": []}
    lists["tags"] = [()] * len(table)
    for column, field in _LISTS.items():
        if column in table:
            lists[field] = [
                tuple(part.strip() for part in text.split("|") if part.strip())
                for text in _text(table, column)
            ]
    attributes = _attributes(table)
    return [
        ItemContent(item_id, title, description, categories, tags, numbers)
        for item_id, title, description, categories, tags, numbers in zip(
            table["item_id"],
            columns["title"],
            columns["description"],
            lists["categories"],
            lists["tags"],
            attributes,
            strict=True,
        )
    ]


def read_table(path: Path) -> pd.DataFrame:
    """A CSV file, packed or not, or a Parquet file, with ids as text.

    Raises:
        DataInvalid: the file is missing, empty or not a table.
    """
    try:
        if ".parquet" in path.suffixes:
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise DataInvalid(f"{path}: no such file") from error
    except pd.errors.EmptyDataError as error:
        raise DataInvalid(f"{path}: is empty; the first line must name the columns") from error
    except (OSError, ValueError) as error:  # pandas' and pyarrow's parsing errors are ValueErrors
        raise DataInvalid(f"{path}: cannot be read as CSV or Parquet: {error}") from error
    for column in table.columns.intersection(["user_id", "item_id"]):
        table[column] = table[column].fillna("").astype(str)
    return table


def numbers_of(table: pd.DataFrame, path: Path, column: str) -> NDArray[np.float64]:
    """A column of numbers, NaN where a cell is empty: [rows].

    Raises:
        DataInvalid: a cell is no number.
    """
    numbers = pd.to_numeric(table[column], errors="coerce")
    blank = table[column].isna() | (table[column].astype(str).str.strip() == "")
    _refuse(path, column, numbers.isna() & ~blank, "is not a number")
    return numbers.to_numpy(np.float64)


def _require(table: pd.DataFrame, path: Path, columns: Iterable[str]) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        raise DataInvalid(
            f"{path}: line 1: lacks the column {', '.join(missing)}; "
            f"it has {', '.join(map(str, table.columns))}"
        )


def _refuse(path: Path, column: str, wrong: Any, reason: str) -> None:
    rows = np.flatnonzero(np.asarray(wrong))
    if len(rows):
        more = f" ({len(rows):,} such rows)" if len(rows) > 1 else ""
        raise DataInvalid(f"{path}: line {rows[0] + 2}: column {column}: {reason}{more}")


def _times_and_order(
    events: pd.DataFrame, path: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds (all 0 where there are no times) and what to sort by."""
    no_times = np.zeros(len(events))
    if "timestamp" in events:
        times = seconds_of(events["timestamp"])
        reason = "is neither seconds, milliseconds nor an ISO date"
        _refuse(path, "timestamp", np.isnan(times), reason)
        return times, times
    if "position" in events:
        positions = numbers_of(events, path, "position")
        _refuse(path, "position", np.isnan(positions), "is empty; it must be a number")
        return no_times, positions
    return no_times, no_times


def _gaps(users: NDArray[np.int64], times: NDArray[np.float64]) -> NDArray[np.float32]:
    gaps = np.diff(times, prepend=times[0])
    first = np.diff(users, prepend=-1) != 0
    return np.where(first, 0.0, gaps).astype(np.float32)


def _kinds(events: pd.DataFrame, path: Path) -> NDArray[np.int64]:
    """As `event_type` says; without it rows with ratings are ratings, others clicks."""
    if "event_type" not in events:
        kind = "rating" if "rating" in events else "click"
        return np.full(len(events), KINDS[kind], dtype=np.int64)
    kinds = events["event_type"].astype(str).str.lower().map(KINDS)
    _refuse(path, "event_type", kinds.isna(), f"must be one of {', '.join(KINDS)}")
    return kinds.to_numpy().astype(np.int64)


def _ratings(events: pd.DataFrame, path: Path) -> NDArray[np.float32]:
    if "rating" not in events:
        return np.full(len(events), np.nan, dtype=np.float32)
    ratings = numbers_of(events, path, "rating")
    _refuse(path, "rating", (ratings < 1) | (ratings > 5), "must be from 1 to 5")
    return ratings.astype(np.float32)


def _catalogue(known: list[ItemContent], touched: pd.Series) -> tuple[ItemContent, ...]:
    described = {item.item_id for item in known}
    extra = [ItemContent(item) for item in touched.unique() if item not in described]
    return (*known, *extra)


def _text(table: pd.DataFrame, column: str) -> list[str]:
    if column not in table:
        return [""] * len(table)
    return table[column].fillna("").astype(str).tolist()


def _attributes(table: pd.DataFrame) -> list[dict[str, float]]:
    """Columns in which every cell that is not blank is a finite number."""
    reserved = {"item_id", *_TEXT, *_LISTS}
    found: list[dict[str, float]] = [{} for _ in range(len(table))]
    for column in table.columns.difference(list(reserved), sort=False):
        numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
        blank = (table[column].isna() | (table[column].astype(str).str.strip() == "")).to_numpy()
        if blank.all() or not np.isfinite(numbers[~blank]).all():
            continue
        for row in np.flatnonzero(~blank):
            found[row][str(column)] = float(numbers[row])
    return found
