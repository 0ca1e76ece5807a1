"""Prometheus and promtool: those on PATH, else those of Debian's package, unpacked in the cache.

Needs no root: `apt-get download` and `dpkg-deb --extract` write to a folder of their own.
"""

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from headrace.local.cache import cache_dir, locked
from headrace.local.errors import FetchFailed

_PACKAGE = "prometheus"


def prometheus_program(name: str) -> Path:
    """The path of `prometheus` or `promtool`. Raises FetchFailed, telling how to get it."""
    found = shutil.which(name)
    if found:
        return Path(found)
    folder = cache_dir() / f"prometheus-{platform.machine()}"
    program = folder / "usr" / "bin" / name
    with locked(cache_dir(), folder.name):
        if not program.exists():
            _fetch(folder)
    return program


def _fetch(folder: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise FetchFailed(
            "prometheus and promtool are not on PATH, and here is no apt-get to fetch Debian's "
            "package with: install Prometheus (macOS: brew install prometheus)"
        )
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        unpacked = Path(scratch) / "root"
        try:
            _download(scratch)
            (package,) = Path(scratch).glob(f"{_PACKAGE}_*.deb")
            _run(["dpkg-deb", "--extract", str(package), str(unpacked)], scratch)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            reason = getattr(error, "stderr", None) or error
            raise FetchFailed(
                f"Debian's package {_PACKAGE} could not be fetched: {reason}. Run `apt-get update` "
                "as root, or install Prometheus so that promtool is on PATH"
            ) from error
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.replace(folder)


def _download(folder: str) -> None:
    command = ["apt-get", "download", "--quiet", _PACKAGE]
    try:
        _run(command, folder)
    except subprocess.CalledProcessError:
        if os.geteuid() != 0:
            raise
        # The lists name a version that the mirror has replaced.
        _run(["apt-get", "update", "--quiet"], folder)
        _run(command, folder)


def _run(command: list[str], folder: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=120)
