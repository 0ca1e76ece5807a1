"""`python -m headrace.training.train`: from interactions to a bundle that services load."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch

from headrace.commands.arguments import count, minutes, width
from headrace.errors import HeadraceError
from headrace.models.user_rnn import TOWER_KINDS
from headrace.training.compute import Compute, DeviceChoice, Precision, idle_threads
from headrace.training.data import prepared_files
from headrace.training.job import Job
from headrace.training.newest import told_of
from headrace.training.publish import Fact
from headrace.training.run import Stages
from headrace.training.settings import TrainingSettings
from headrace.training.split import Holdout
from headrace.training.start import Start
from headrace.training.team import Team

_MINUTES = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 after an error that the user can mend."""
    given = _parser().parse_args(arguments)
    # With --epochs nothing may depend on what else the machine does.
    idle = torch.get_num_threads() if given.epochs else idle_threads()
    torch.set_num_threads(given.threads or idle)
    try:
        start = Start.read(given.start_from) if given.start_from else None
        manifest = Stages(_job(given, start), _settings(given, start)).run()
    except (HeadraceError, OSError) as error:  # OSError names the file
        sys.stderr.write(f"headrace: {error}\n")
        return 2
    if manifest is None:
        Team.go_home()
    return 0


def _settings(given: argparse.Namespace, start: Start | None) -> TrainingSettings:
    """A model that starts from a bundle has its shape, unless another one is asked for."""
    settings = TrainingSettings(seed=given.seed, max_epochs=given.epochs)
    if start is not None:
        settings = start.settings(settings)
    asked = {name: getattr(given, name) for name in ("tower", "width")}
    return replace(settings, **{name: value for name, value in asked.items() if value is not None})


def _job(given: argparse.Namespace, start: Start | None) -> Job:
    """Raises: DataInvalid if the folder named as prepared data is none; FailedPrecondition if the
    device is not there."""
    interactions, items = given.interactions, given.items
    holdout: Holdout = given.holdout or "leave-one-out"
    folder = given.prepared or (interactions if interactions.is_dir() else None)
    told: Mapping[str, Fact] = {}
    if folder is not None:
        interactions, items, prepared = prepared_files(folder)
        holdout = given.holdout or prepared
        if holdout == prepared:  # else other events are held out than the folder says
            told = told_of(folder)
    beside = given.checkpoint / "tensorboard" if given.checkpoint else None
    return Job(
        interactions,
        items,
        given.out,
        seconds=_seconds(given),
        holdout=holdout,
        checkpoint=given.checkpoint,
        checkpoint_every_s=60 * given.checkpoint_minutes,
        logs=given.logs or beside,
        compute=Compute.chosen(given.device, given.precision),
        start=start,
        told=told,
    )


def _seconds(given: argparse.Namespace) -> float:
    if given.minutes is None:
        return math.inf if given.epochs else 60 * _MINUTES
    return 60 * float(given.minutes)


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
        "tags (separated by |), picture (a path), and columns of numbers",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument(
        "--minutes", type=minutes, help=f"time for everything ({_MINUTES}; with --epochs no limit)"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument(
        "--epochs",
        type=count,
        help="so many passes, or fewer if nothing improves: a run that can be repeated to the "
        "last bit, with the same --threads",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="folder to save to at times; the same command goes on from there after a kill",
    )
    parser.add_argument(
        "--checkpoint-minutes", type=minutes, default=5.0, help="between two saves (5)"
    )
    parser.add_argument(
        "--logs", type=Path, help="folder for TensorBoard (a folder in that of --checkpoint)"
    )
    parser.add_argument(
        "--device",
        choices=get_args(DeviceChoice),
        default="auto",
        help="that fits the towers: auto is the GPU if there is one",
    )
    parser.add_argument(
        "--precision",
        choices=get_args(Precision),
        default="auto",
        help="of the towers' matrix products: auto is bfloat16 on a GPU that has it",
    )
    parser.add_argument(
        "--holdout",
        choices=get_args(Holdout),
        help="kept for measuring: leave-one-out, which is the default for files; none; or, the "
        "default for prepared data, what preparation has chosen",
    )
    parser.add_argument("--tower", choices=TOWER_KINDS, help=f"({defaults.tower})")
    parser.add_argument(
        "--width",
        type=width,
        help=f"numbers in an item's vector ({defaults.width}); more of them take more memory and "
        "time, in service too",
    )
    parser.add_argument(
        "--start-from",
        metavar="BUNDLE",
        help="folder or URL of a bundle: weights of the items and words that it knows begin there",
    )
    parser.add_argument(
        "--threads", type=count, help="of torch: the idle cores, or with --epochs all of them"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
