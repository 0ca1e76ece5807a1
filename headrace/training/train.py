"""`python -m headrace.training.train`: from interactions to a bundle that services load."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import torch

from headrace.errors import HeadraceError
from headrace.models.user_rnn import TOWER_KINDS
from headrace.training.data import prepared_files
from headrace.training.run import Job, Stages
from headrace.training.settings import TrainingSettings
from headrace.training.split import Holdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 after an error that the user can mend."""
    given = _parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    settings = TrainingSettings(tower=given.tower, seed=given.seed, max_epochs=given.epochs)
    try:
        Stages(_job(given), settings).run()
    except HeadraceError as error:
        sys.stderr.write(f"headrace: {error}\n")
        return 2
    return 0


def _job(given: argparse.Namespace) -> Job:
    """Raises: DataInvalid if the folder named as prepared data is none."""
    interactions, items = given.interactions, given.items
    holdout: Holdout = given.holdout or "leave-one-out"
    if given.prepared:
        interactions, items, prepared = prepared_files(given.prepared)
        holdout = given.holdout or prepared
    return Job(
        interactions,
        items,
        given.out,
        60 * given.minutes,
        holdout,
        given.checkpoint,
        60 * given.checkpoint_minutes,
    )


def _parser() -> argparse.ArgumentParser:
    defaults = TrainingSettings()
    parser = argparse.ArgumentParser(prog="python -m headrace.training.train", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--prepared", type=Path, help="folder that `headrace prepare` has written")
    source.add_argument(
        "--interactions",
        type=Path,
        help="CSV or Parquet: user_id, item_id; optional rating, timestamp or position, event_type",
    )
    parser.add_argument(
        "--items",
        type=Path,
        help="CSV or Parquet: item_id; optional title, description, categories or genres and "
        "tags (separated by |), and columns of numbers",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--minutes", type=_positive, default=2.0, help="time for everything (2)")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--epochs", type=int, default=defaults.max_epochs, help="at most so many")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="folder to save to at times; the same command goes on from there after a kill",
    )
    parser.add_argument(
        "--checkpoint-minutes", type=_positive, default=5.0, help="between two saves (5)"
    )
    parser.add_argument(
        "--holdout",
        choices=get_args(Holdout),
        help="kept for measuring: leave-one-out, which is the default for files; none; or, the "
        "default for prepared data, what preparation has chosen",
    )
    parser.add_argument("--tower", choices=TOWER_KINDS, default=defaults.tower)
    parser.add_argument("--threads", type=int, default=_idle_cores())
    return parser


def _idle_cores() -> int:
    """Two threads on one free core wait for each other: an epoch of 5 s then takes a minute."""
    busy = round(os.getloadavg()[0])
    return max(1, torch.get_num_threads() - busy)


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"must be above 0, is {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
