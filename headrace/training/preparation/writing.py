"""The last pass: histories that stay, with their part of the split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headrace.training.preparation import splits
from headrace.training.preparation.catalogue import Catalogue
from headrace.training.preparation.cuts import time_cuts
from headrace.training.preparation.output import Histories, interactions_writer
from headrace.training.preparation.reasons import Reason
from headrace.training.preparation.settings import PreparationSettings
from headrace.training.preparation.splits import PART_NAMES, TEST, VALIDATION, SplitDigest
from headrace.training.preparation.survivors import KEPT, Survivors
from headrace.training.preparation.watch import Watch


@dataclass(frozen=True)
class Outcome:
    """What was written. `parts` counts events, `split_sha256` names the split."""

    users: int
    items: int
    interactions: int
    longest_history: int
    oldest_s: float | None
    newest_s: float | None
    parts: dict[str, int]
    split_sha256: str


class Splitter:
    """The split that settings name, over histories that come piece by piece."""

    def __init__(self, settings: PreparationSettings, kept: Survivors, ids: Sequence[str]) -> None:
        """Raises: DataInvalid if a split by time has no time to cut at."""
        self._kind = settings.split
        if self._kind == "time":
            self._cuts = settings.cuts or time_cuts(kept)
        elif self._kind == "cold-items":
            codes = _touched(kept)
            self._cold = np.zeros(len(ids), dtype=bool)
            self._cold[codes] = splits.cold_items([ids[code] for code in codes], settings.seed)

    def parts(
        self,
        lengths: NDArray[np.int64],
        times: NDArray[np.float64],
        items: NDArray[np.int32],
    ) -> NDArray[np.int8]:
        """Shapes: lengths [U]; times, items (codes) and result [E]."""
        if self._kind == "leave-one-out":
            return splits.last_two(lengths)
        if self._kind == "newest-fifth":
            return splits.newest_fifth(lengths)
        if self._kind == "time":
            return splits.by_time(times, self._cuts)
        if self._kind == "cold-items":
            return splits.without_cold(lengths, self._cold[items])
        return splits.last_one(lengths)


def write_histories(
    folder: Path,
    kept: Survivors,
    catalogue: Catalogue,
    splitter: Splitter,
    leave_out: Callable[[NDArray[np.int64], Reason], None],
    *,
    ordered: bool,
    watch: Watch,
) -> Outcome:
    """Write what stays; `leave_out` is told the lines of the rest, and why they go. `ordered`:
    the order of histories means something."""
    digest = SplitDigest()
    counts = np.zeros(len(PART_NAMES), dtype=np.int64)
    longest = users = 0
    oldest, newest = np.inf, -np.inf
    with interactions_writer(folder, ordered=ordered) as writer:
        for number, piece in enumerate(watch.pieces("writing", kept.pieces, len(kept.pieces))):
            for lines, reason in kept.left_out(number):
                leave_out(lines, reason)
            rows = np.flatnonzero(kept.fates(number) == KEPT)
            owners, codes = piece.column("user")[rows], piece.column("item")[rows]
            lengths = np.bincount(owners, minlength=len(piece.users))
            lengths = lengths[lengths > 0]
            times = piece.column("time")[rows]
            parts = splitter.parts(lengths, times, codes)
            names, items = piece.users[owners], catalogue.ids[codes]
            for part in (VALIDATION, TEST):
                digest.add(part, names[parts == part], items[parts == part])
            kinds, ratings = piece.column("kind")[rows], piece.column("rating")[rows]
            written = Histories(names, items, kinds, ratings, times, parts, lengths)
            writer.write_table(written.table())
            catalogue.count(codes)
            counts += np.bincount(parts, minlength=len(counts))
            users += len(lengths)
            longest = max(longest, int(lengths.max(initial=0)))
            oldest = float(np.fmin.reduce(times, initial=oldest))
            newest = float(np.fmax.reduce(times, initial=newest))
    return Outcome(
        users=users,
        items=catalogue.touched,
        interactions=int(counts.sum()),
        longest_history=longest,
        oldest_s=oldest if np.isfinite(oldest) else None,
        newest_s=newest if np.isfinite(newest) else None,
        parts=dict(zip(PART_NAMES, counts.tolist(), strict=True)),
        split_sha256=digest.hexdigest(),
    )


def _touched(kept: Survivors) -> NDArray[np.int64]:
    """Codes of items that have an event left."""
    touched = np.zeros(len(kept.items), dtype=bool)
    for _, _, items in kept.events():
        touched[items] = True
    return np.flatnonzero(touched)
