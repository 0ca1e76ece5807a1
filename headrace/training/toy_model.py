"""A model where there is none yet, so that services can start: `python -m …toy_model --out DIR`.

Nothing in it is learned; its items are `item-0` to `item-59`. A model that is there stays.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from headrace.bundle.manifest import FILE
from headrace.training.toy import make_toy_bundle


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m headrace.training.toy_model", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    folder: Path = parser.parse_args(arguments).out
    if (folder / FILE).exists():
        sys.stdout.write(f"{folder} holds a model already\n")
        return 0
    folder.parent.mkdir(parents=True, exist_ok=True)
    manifest = make_toy_bundle(folder)
    sys.stdout.write(f"toy model {manifest.model_version} at {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
