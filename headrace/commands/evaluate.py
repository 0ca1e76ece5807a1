"""`headrace evaluate`: the served pipeline's figures for leave-one-out, from a bundle alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from headrace.bundle import Bundle
from headrace.commands.arguments import SAMPLED, count, whole
from headrace.evaluation.evaluate import evaluate
from headrace.evaluation.served import CANDIDATES
from headrace.evaluation.text import lines_of
from headrace.training.data import read_log


def main(arguments: Sequence[str]) -> int:
    """Raises: DataInvalid, BundleInvalid, FailedPrecondition."""
    given = _parser().parse_args(arguments)
    bundle = Bundle.load(given.bundle, threads=given.threads)
    log = read_log(given.interactions, given.items)
    found = evaluate(
        bundle, log, candidates=given.candidates, sampled=given.sampled, seed=given.seed
    )
    sys.stdout.writelines(f"{line}\n" for line in lines_of(found, bundle.manifest))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headrace evaluate", description=__doc__)
    parser.add_argument("--bundle", required=True, help="folder or URL of the bundle")
    parser.add_argument(
        "--interactions", type=Path, required=True, help="the file that the bundle was trained on"
    )
    parser.add_argument("--items", type=Path, help="the items, as in training")
    parser.add_argument("--candidates", type=count, default=CANDIDATES, help="scored by the head")
    parser.add_argument("--sampled", type=whole, default=0, help=SAMPLED)
    parser.add_argument("--seed", type=int, default=0, help="of the intervals' resamples")
    parser.add_argument("--threads", type=count, default=1, help="of one run of a graph")
    return parser
