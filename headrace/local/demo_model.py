"""Trains the demo's model, in a process of its own."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from headrace.bundle import Bundle
from headrace.errors import BundleInvalid
from headrace.local.child import dying_with_parent
from headrace.local.errors import LocalError

MINUTES = 2


def _usable(bundle: Path) -> bool:
    try:
        Bundle.load(str(bundle), [])
    except BundleInvalid:
        return False
    return True


def trained_bundle(home: Path, say: Callable[[str], None] = print) -> Path:
    """The bundle `bundles/demo`; trained at the first call, which shows its progress.

    Raises: LocalError if training fails.
    """
    bundle = home / "bundles" / "demo"
    if _usable(bundle):
        return bundle
    # What an interrupted run or an earlier release has left.
    shutil.rmtree(bundle, ignore_errors=True)
    # Imported here: pandas would delay every start by half a second.
    from headrace.local.demo import write_csv  # noqa: PLC0415

    interactions, items = write_csv(home / "demo")
    say(f"Training a model on MovieLens-100K, at most {MINUTES} minutes …")
    command = [sys.executable, "-m", "headrace.training.train"]
    command += ["--interactions", str(interactions), "--items", str(items)]
    command += ["--out", str(bundle), "--minutes", str(MINUTES)]
    done = subprocess.run(dying_with_parent(command), cwd=Path(__file__).parents[2], check=False)
    if done.returncode != 0:
        raise LocalError(f"Training ended with code {done.returncode}; see above why.")
    return bundle
