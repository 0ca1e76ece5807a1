"""`headrace compare`: a bundle beside the classic recommenders, on the same split."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import torch

from headrace.bundle import Bundle
from headrace.commands.arguments import SAMPLED, count, minutes, whole
from headrace.evaluation.baselines.neural.learning import Watch
from headrace.evaluation.baselines.registry import NEURAL, SIMPLE, Make
from headrace.evaluation.compare import MAIN, Row, Standing, compare
from headrace.evaluation.report.curve import read_curve
from headrace.evaluation.report.write import write_report
from headrace.evaluation.turns import Terms
from headrace.training.compute import Compute, DeviceChoice
from headrace.training.data import read_log

_EVERY = {**SIMPLE, **NEURAL}
_CLEAR = "\r\033[K"


def main(arguments: Sequence[str]) -> int:
    """Raises: DataInvalid, BundleInvalid, FailedPrecondition; OSError if it cannot write."""
    given = _parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    compute = Compute.chosen(given.device, "float32")
    results = given.out / "results"
    results.mkdir(parents=True, exist_ok=True)  # fails before the work, not after it
    curve = read_curve(given.curve) if given.curve else []
    bundle = Bundle.load(given.bundle, threads=given.threads) if given.bundle else None
    log = read_log(given.interactions, given.items)
    found = compare(
        log,
        bundle,
        Terms(60 * given.minutes, given.seed, given.sampled, results, compute.device),
        baselines=given.models,
        say=_say,
        watch=_watch if sys.stderr.isatty() else None,
    )
    about = [f"Interactions: {given.interactions.name}.", f"Seed {given.seed}."]
    if bundle is not None:
        about.append(f"Bundle {bundle.model_version}, order of {bundle.manifest.ranking}.")
    for path in write_report(found, given.out, about, curve=curve):
        sys.stdout.write(f"{path}\n")
    return 0


def _say(row: Row, at: Standing) -> None:
    spent = "" if row.fit.seconds is None else f"  fitted in {row.fit.seconds:.0f} s"
    spent += ", cut short" if row.fit.cut_short else ""
    spent += ", known from before" if at.kept else ""
    left = f"  (at most {_clock(at.left_s)} of fitting left)" if at.done < at.models else ""
    if sys.stderr.isatty():
        sys.stderr.write(_CLEAR)
    place = f"[{at.done}/{at.models}]"
    figure = row.test.intervals[MAIN]
    sys.stdout.write(f"{place:<8} {row.name:<26} test {MAIN} {figure}{spent}{left}\n")
    sys.stdout.flush()


def _watch(name: str) -> Watch:
    """A line on the terminal that each epoch overwrites."""

    def epoch(number: int, quality: float, left_s: float) -> None:
        sys.stderr.write(
            f"{_CLEAR}{name}: epoch {number}, validation NDCG@10 {quality:.4f}, at most "
            f"{_clock(left_s)} left"
        )
        sys.stderr.flush()

    return epoch


def _clock(seconds: float) -> str:
    whole_s = max(0, round(seconds))
    return f"{whole_s // 60}:{whole_s % 60:02}"


def _models(text: str) -> Mapping[str, Make]:
    """Raises: ArgumentTypeError for a name that no baseline has."""
    by_lower = {name.lower(): name for name in _EVERY}
    asked = [name.strip() for name in text.split(",")]
    unknown = [name for name in asked if name.lower() not in by_lower]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"there is no {', '.join(unknown)}; there are: {', '.join(_EVERY)}"
        )
    return {by_lower[name.lower()]: _EVERY[by_lower[name.lower()]] for name in asked}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace compare",
        description=__doc__,
        epilog="Each model's result is kept under OUT/results as soon as it is there: the same "
        "command goes on after a kill, and one with a bundle or more models fits only what is new.",
    )
    parser.add_argument("--interactions", type=Path, required=True, help="CSV or Parquet")
    parser.add_argument("--items", type=Path, help="CSV or Parquet")
    parser.add_argument("--bundle", help="folder or URL of a bundle trained on these files")
    parser.add_argument("--out", type=Path, required=True, help="folder of the report")
    parser.add_argument(
        "--models",
        type=_models,
        default=_EVERY,
        metavar="NAME,NAME,…",
        help=f"of {', '.join(_EVERY)} (all)",
    )
    parser.add_argument("--minutes", type=minutes, default=5.0, help="for fitting baselines (5)")
    parser.add_argument("--sampled", type=whole, default=0, help=SAMPLED)
    parser.add_argument(
        "--curve", type=Path, help="curve.jsonl of the bundle's checkpoints, for a plot"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--device",
        choices=get_args(DeviceChoice),
        default="auto",
        help="that fits the networks: auto is the GPU if there is one",
    )
    parser.add_argument("--threads", type=count, default=1, help="of torch and ONNX Runtime")
    return parser
