"""The folder that keeps what was fetched, so that the next start needs no network."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_dir() -> Path:
    """HEADRACE_CACHE_DIR, else `headrace` in the user's cache folder. Created if absent."""
    chosen = os.environ.get("HEADRACE_CACHE_DIR")
    if chosen:
        folder = Path(chosen).expanduser().resolve()
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "headrace"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Let one process at a time fill the part of the cache called `name`; others wait."""
    with (folder / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
