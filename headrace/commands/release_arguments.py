"""What `headrace release` may be told."""

from __future__ import annotations

import argparse
from pathlib import Path

from headrace.commands.arguments import whole


def _share(text: str) -> float:
    """Raises: ArgumentTypeError for what is no share."""
    share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most 100 %, is {text}")
    return share


def parser(about: str | None) -> argparse.ArgumentParser:
    """Of all its sub-commands. about: what the command does."""
    made = argparse.ArgumentParser(prog="headrace release", description=about)
    what = made.add_subparsers(dest="do", required=True)
    propose = what.add_parser("propose", help="check a bundle and prepare it beside the live one")
    propose.add_argument("bundle", help="folder or fsspec URL of the bundle")
    propose.add_argument(
        "--prepared", type=Path, help="a folder of `headrace prepare`: measures both models on it"
    )
    propose.add_argument("--force", action="store_true", help="although it is worse")
    shadow = what.add_parser("shadow", help="make its lists too, and show them to nobody")
    shadow.add_argument(
        "share", type=_share, nargs="?", default=0.1, help="of requests, 10%% by default"
    )
    canary = what.add_parser("canary", help="show its lists to a share of people")
    canary.add_argument("share", type=_share, help="5%% or 0.05")
    promote = what.add_parser("promote", help="show its lists to everybody")
    for one in (canary, promote):
        one.add_argument("--wait", type=whole, default=0, help="seconds, until it is ready")
        one.add_argument("--force", action="store_true", help="although it is not ready")
    rollback = what.add_parser(
        "rollback", help="stop what is on its way, or go back to the model that stands by"
    )
    rollback.add_argument("--reason", default="rolled back", help="kept beside the release")
    report = what.add_parser(
        "report", help="the last canary beside the live model: what people did with their lists"
    )
    report.add_argument(
        "--sample", type=_share, default=1.0, help="of people, where memory is short: 10%%"
    )
    what.add_parser("retire", help="give up the model that stands by")
    what.add_parser("clean", help="delete the rows and topics of models that were given up")
    status = what.add_parser("status", help="releases, newest first, and what runs")
    status.add_argument("--last", type=whole, default=10, help="how many")
    return made
