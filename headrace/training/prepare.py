"""`python -m headrace.training.prepare`: check, clean, order and split interactions."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from headrace.errors import FailedPrecondition, HeadraceError
from headrace.training.preparation import (
    SPLITS,
    Bars,
    PreparationSettings,
    file_source,
    postgres_sources,
    prepare,
)
from headrace.training.preparation.report import Report
from headrace.training.preparation.staging import REPORT


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 after an error that the user can mend."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.items and not given.interactions:
        parser.error("--items goes with --interactions; a database brings its own items")
    try:
        if given.once and _is_done(given):
            sys.stdout.write(f"{given.out}: is there already\n")
            return 0
        report = _prepared(given)
    except HeadraceError as error:
        sys.stderr.write(f"headrace: {error}\n")
        return 2
    sys.stdout.write(f"{report.markdown()}\n{given.out}: {report.line()}\n")
    return 0


def _is_done(given: argparse.Namespace) -> bool:
    """Raises: FailedPrecondition where what is there was prepared in another way."""
    try:
        facts = json.loads((given.out / REPORT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    if facts.get("settings") != asdict(_settings(given)):
        raise FailedPrecondition(
            f"{given.out}: was prepared with other settings; name another folder, or leave out "
            "--once"
        )
    return True


def _settings(given: argparse.Namespace) -> PreparationSettings:
    return PreparationSettings(
        split=given.split,
        max_refused_share=given.max_refused_share,
        drop_outliers=given.outliers == "drop",
        min_user_events=given.min_user_events,
        min_item_events=given.min_item_events,
        seed=given.seed,
    )


def _prepared(given: argparse.Namespace) -> Report:
    settings = _settings(given)
    if given.database_url:
        with postgres_sources(given.database_url) as (interactions, items):
            return prepare(interactions, items, given.out, settings, Bars())
    described = file_source(given.items) if given.items else None
    return prepare(file_source(given.interactions), described, given.out, settings, Bars())


def _parser() -> argparse.ArgumentParser:
    defaults = PreparationSettings()
    parser = argparse.ArgumentParser(
        prog="python -m headrace.training.prepare",
        description=__doc__,
        epilog="docs/data.md tells what is changed and why.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--interactions",
        type=Path,
        help="CSV, CSV.gz or Parquet: user_id, item_id; optional rating, timestamp, position, "
        "event_type",
    )
    source.add_argument("--database-url", help="Headrace's Postgres, instead of files")
    parser.add_argument(
        "--items",
        type=Path,
        help="CSV, CSV.gz or Parquet: item_id; optional title, description, categories or genres "
        "and tags (separated by |), picture (a path), and columns of numbers or dates",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the prepared data")
    parser.add_argument(
        "--once",
        action="store_true",
        help="do nothing where the folder holds data that were prepared with these settings: for "
        "Jobs that are started again",
    )
    parser.add_argument("--split", choices=SPLITS, default=defaults.split)
    parser.add_argument(
        "--max-refused-share",
        type=_share,
        default=defaults.max_refused_share,
        help="share of rows that may be unusable; more is an error (%(default)s)",
    )
    parser.add_argument("--outliers", choices=("drop", "keep"), default="drop")
    parser.add_argument("--min-user-events", type=_count, default=defaults.min_user_events)
    parser.add_argument("--min-item-events", type=_count, default=defaults.min_item_events)
    parser.add_argument("--seed", type=int, default=defaults.seed, help="chooses the cold items")
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, is {text}")
    return share


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, is {text}")
    return count


if __name__ == "__main__":
    sys.exit(main())
