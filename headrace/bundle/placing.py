"""Putting a finished folder where another one is: a reader always finds one of the two."""

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

Exchange = Callable[[Path, Path], None]
"""Makes each of two paths what the other one was, at once. Raises: OSError where the system or its
file system cannot."""

_AT_FDCWD = -100
_LINUX_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_MACOS_SWAP = 2  # RENAME_SWAP of sys/stdio.h
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def exchange(one: Path, other: Path) -> None:
    """An `Exchange`: Python has none."""
    system = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(one), os.fsencode(other)
    if sys.platform == "linux" and hasattr(system, "renameat2"):
        failed = system.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _LINUX_EXCHANGE)
    elif sys.platform == "darwin" and hasattr(system, "renamex_np"):
        failed = system.renamex_np(*paths, _MACOS_SWAP)
    else:
        raise OSError(errno.ENOSYS, "two folders cannot be exchanged at once here")
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one), None, str(other))


def put_in_place(fresh: Path, folder: Path, swap: Exchange = exchange) -> None:
    """`fresh` takes the place of `folder`, whose content is deleted. Both on one file system.

    Where two folders cannot be exchanged at once the old one is set aside for a moment: a process
    that is killed just then leaves none in its place, and `put_back` brings it back.
    """
    if not folder.exists():
        fresh.rename(folder)
        return
    try:
        swap(fresh, folder)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        folder.rename(_aside(folder))
        fresh.rename(folder)
        shutil.rmtree(_aside(folder))
    else:
        shutil.rmtree(fresh)


def put_back(folder: Path) -> None:
    """Undoes what a process that was killed left half done."""
    aside = _aside(folder)
    if not aside.exists():
        return
    if folder.exists():
        shutil.rmtree(aside)
    else:
        aside.rename(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.before")
