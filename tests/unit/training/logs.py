"""Small event logs for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from headrace.bundle.content import ItemContent
from headrace.training.log import EventLog
from tests.pictures import BLUE, RED, drawn


def log_of(*histories: Sequence[int], items: int = 10) -> EventLog:
    """One person per history of item columns."""
    lengths = [len(history) for history in histories]
    return EventLog(
        user_ids=np.array([f"user-{u}" for u in range(len(histories))], dtype=object),
        catalogue=tuple(ItemContent(f"item-{i}") for i in range(items)),
        offsets=np.cumsum([0, *lengths]),
        items=np.array([item for history in histories for item in history], dtype=np.int64),
        kinds=np.full(sum(lengths), 2),
        gap_s=np.zeros(sum(lengths), dtype=np.float32),
        ratings=np.full(sum(lengths), np.nan, dtype=np.float32),
    )


def write_rounds(
    folder: Path, users: int = 60, items: int = 30, length: int = 15, *, pictures: bool = False
) -> tuple[Path, Path]:
    """Interactions in which item i is followed by item i + 1, and the items: two CSV files.

    pictures: items have one, but for every third.
    """
    random = np.random.default_rng(0)
    rows = [
        f"u{user},i{(start + step) % items},{1 + (start + step) % 5},{step * 60}"
        for user, start in enumerate(random.integers(0, items, users))
        for step in range(length)
    ]
    events, catalogue = folder / "events.csv", folder / "items.csv"
    events.write_text("user_id,item_id,rating,timestamp\n" + "\n".join(rows) + "\n")
    shots = [f"{i}.png" if pictures and i % 3 else "" for i in range(items)]
    for i, shot in enumerate(shots):
        if shot:
            drawn(RED if i % 2 else BLUE, "disc", seed=i).save(folder / shot)
    catalogue.write_text(
        "item_id,title,genres,year,picture\n"
        + "".join(f"i{i},Item number {i},g{i % 3},{1990 + i},{shots[i]}\n" for i in range(items))
    )
    return events, catalogue
