"""How good the demo's model is beside classic recommenders: `python -m bench.quality`.

Trains the demo's bundle on MovieLens-100K first, if `make run` did not (2 minutes).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from headrace.cli import main as headrace
from headrace.local.demo import write_csv
from headrace.local.demo_model import trained_bundle
from headrace.local.home import home_folder


def main() -> int:
    """Returns the exit status."""
    given = _parser().parse_args()
    home = home_folder()
    bundle = trained_bundle(home)
    interactions, items = write_csv(home / "demo")
    data = ["--interactions", str(interactions), "--items", str(items), "--bundle", str(bundle)]
    out = ["--out", str(given.out), "--minutes", str(given.minutes)]
    return headrace(["compare", *data, *out]) or headrace(["evaluate", *data])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("reports/ml-100k"))
    parser.add_argument("--minutes", type=float, default=5.0, help="for fitting baselines (5)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
