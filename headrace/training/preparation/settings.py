"""What can be chosen about preparation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SplitKind = Literal["leave-one-out", "newest-fifth", "time", "cold-items", "none"]
SPLITS: tuple[SplitKind, ...] = get_args(SplitKind)


@dataclass(frozen=True)
class PreparationSettings:
    """The defaults change as little as they can: `docs/data.md` has the reasons."""

    split: SplitKind = "leave-one-out"
    # A slip of the pen spoils a few rows; a wrong column spoils most of them.
    max_refused_share: float = 0.05
    drop_outliers: bool = True
    min_user_events: int = 1  # of the k-core; 1 keeps everybody
    min_item_events: int = 1
    seed: int = 0  # chooses the cold items
    # Of a split by time: when validation and the test begin, Unix seconds; None: by shares.
    cuts: tuple[float, float] | None = None
