"""A folder that appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.errors import DataInvalid, Unavailable

REPORT = "report.json"


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the name `folder` at the end; nothing stays after an error.

    Raises:
        DataInvalid: `folder` holds something else than prepared data.
        Unavailable: the disk is full or cannot be written to.
    """
    if folder.exists() and not (folder / REPORT).exists() and _holds_anything(folder):
        raise DataInvalid(f"{folder}: holds something else than prepared data; name another folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        new = partial / "new"
        new.mkdir()
        yield new
        _put(new, folder)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put(new: Path, folder: Path) -> None:
    old = new.with_name("old")
    replaced = folder.exists()
    if replaced:
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if replaced:
            old.rename(folder)
        raise


def _holds_anything(folder: Path) -> bool:
    return not folder.is_dir() or any(folder.iterdir())


def _cannot_write(folder: Path, error: OSError) -> Unavailable:
    why = error.strerror or str(error)
    return Unavailable(f"{folder}: cannot be written: {why}; nothing was left behind")
