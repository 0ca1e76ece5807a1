"""`headrace compare`: a bundle beside the classic recommenders, on the same split."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from headrace.bundle import Bundle
from headrace.commands.arguments import count, minutes
from headrace.evaluation.compare import MAIN, Row, compare
from headrace.evaluation.report.write import write_report
from headrace.training.data import read_log


def main(arguments: Sequence[str]) -> int:
    """Raises: DataInvalid, BundleInvalid, FailedPrecondition; OSError if it cannot write."""
    given = _parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)  # fails before the work, not after it
    bundle = Bundle.load(given.bundle, threads=given.threads) if given.bundle else None
    log = read_log(given.interactions, given.items)
    found = compare(log, bundle, seconds=60 * given.minutes, seed=given.seed, say=_say)
    about = [f"Interactions: {given.interactions.name}.", f"Seed {given.seed}."]
    if bundle is not None:
        about.append(f"Bundle {bundle.model_version}, order of {bundle.manifest.ranking}.")
    for path in write_report(found, given.out, about):
        sys.stdout.write(f"{path}\n")
    return 0


def _say(row: Row) -> None:
    spent = "" if row.fit_s is None else f"  fitted in {row.fit_s:.0f} s"
    spent += ", cut short" if row.cut_short else ""
    sys.stdout.write(f"{row.name:<26} test {MAIN} {row.test.intervals[MAIN]}{spent}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headrace compare", description=__doc__)
    parser.add_argument("--interactions", type=Path, required=True, help="CSV or Parquet")
    parser.add_argument("--items", type=Path, help="CSV or Parquet")
    parser.add_argument("--bundle", help="folder or URL of a bundle trained on these files")
    parser.add_argument("--out", type=Path, required=True, help="folder of the report")
    parser.add_argument("--minutes", type=minutes, default=5.0, help="for fitting baselines (5)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=count, default=1, help="of torch and ONNX Runtime")
    return parser
