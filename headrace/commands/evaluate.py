"""`headrace evaluate`: the served pipeline's figures for what was held out, from a bundle alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from headrace.bundle import Bundle
from headrace.bundle.scoring import CANDIDATES
from headrace.commands.arguments import SAMPLED, count, whole
from headrace.errors import DataInvalid
from headrace.evaluation.cold import evaluate_cold
from headrace.evaluation.evaluate import evaluate
from headrace.evaluation.text import cold_lines_of, lines_of
from headrace.training.data import prepared_files, read_log
from headrace.training.log import EventLog
from headrace.training.split import Split, is_cold, split


def main(arguments: Sequence[str]) -> int:
    """Raises: DataInvalid, BundleInvalid, FailedPrecondition."""
    given = _parser().parse_args(arguments)
    bundle = Bundle.load(given.bundle, threads=given.threads)
    log, parts = _data(given)
    found = evaluate(
        bundle,
        log,
        parts=parts,
        candidates=given.candidates,
        sampled=given.sampled,
        classic_ratings=given.classic_ratings,
        seed=given.seed,
    )
    sys.stdout.writelines(f"{line}\n" for line in lines_of(found, bundle.manifest))
    if log.parts is not None and parts is not None and is_cold(log, log.parts):
        cold = evaluate_cold(bundle, log, parts, candidates=given.candidates, seed=given.seed)
        sys.stdout.writelines(f"{line}\n" for line in cold_lines_of(cold, parts.digest))
    return 0


def _data(given: argparse.Namespace) -> tuple[EventLog, Split | None]:
    """What happened, and what preparation held out; None: files that were not prepared before.

    Raises: DataInvalid.
    """
    if given.prepared is None:
        return read_log(given.interactions, given.items), None
    return prepared_data(given.prepared)


def prepared_data(folder: Path) -> tuple[EventLog, Split]:
    """What happened, and what preparation held out. Raises: DataInvalid."""
    interactions, items, holdout = prepared_files(folder)
    log = read_log(interactions, items)
    parts = split(log, holdout)
    if not len(parts.test.users):
        raise DataInvalid(f"{folder}: holds out nothing for a test; prepare it with --split")
    return log, parts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headrace evaluate", description=__doc__)
    parser.add_argument("--bundle", required=True, help="folder or URL of the bundle")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--prepared", type=Path, help="the folder that the bundle was trained on")
    source.add_argument("--interactions", type=Path, help="or the file, for leave-one-out")
    parser.add_argument("--items", type=Path, help="the items, as in training")
    parser.add_argument("--candidates", type=count, default=CANDIDATES, help="scored by the head")
    parser.add_argument("--sampled", type=whole, default=0, help=SAMPLED)
    parser.add_argument(
        "--classic-ratings",
        action="store_true",
        help="set expected ratings beside biases, item-based CF, SVD and SVD++, fitted here",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the intervals' resamples")
    parser.add_argument("--threads", type=count, default=1, help="of one run of a graph")
    return parser
