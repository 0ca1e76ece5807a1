"""Preparing more rows than memory should hold: `python -m bench.preparation [--millions N]`.

Half of the rows are different events, half repeat them. A second file repeats a single row. Each
is prepared by a process of its own, whose peak of resident memory is what counts.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from bench.report import print_table

_BLOCK = 500_000
_MIB = 2**20


def write_mixed(path: Path, millions: int) -> None:
    """`millions` of events by a tenth as many people on 50,000 items; each comes twice."""
    random = np.random.default_rng(0)
    rows = millions * 1_000_000
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("user_id", "item_id", "timestamp"))
        for start in range(0, rows, _BLOCK):
            users = random.integers(0, rows // 10, _BLOCK)
            items = (50_000 * random.random(_BLOCK) ** 2).astype(int)
            times = 1_600_000_000 + np.arange(start, start + _BLOCK)
            block = list(zip(users.tolist(), items.tolist(), times.tolist(), strict=True))
            for copy in (block, block):
                writer.writerows((f"user-{u}", f"item-{i}", t) for u, i, t in copy)


def write_same(path: Path, millions: int) -> None:
    """One row, `millions` of times."""
    with path.open("w") as file:
        file.write("user_id,item_id,timestamp\n")
        for _ in range(millions):
            file.write("user-1,item-1,1600000000\n" * 1_000_000)


def measured(path: Path, out: Path) -> list[object]:
    """Rows, seconds, the peak of resident MiB, and the last line that preparing says."""
    command = [sys.executable, "-m", "headrace.training.prepare"]
    command += ["--interactions", str(path), "--out", str(out)]
    started, peak = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, watched.memory_info().rss)
            time.sleep(0.05)
        assert process.stdout is not None
        said = process.stdout.read().splitlines()
    if process.returncode:
        raise SystemExit(f"preparing {path} ended with status {process.returncode}")
    seconds = time.monotonic() - started
    return [path.name, path.stat().st_size / _MIB, seconds, peak / _MIB, said[-1].split(": ")[1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--millions", type=int, default=10, help="of different rows, and of repeats"
    )
    parser.add_argument(
        "--folder", type=Path, help="for some GB of files; a temporary one if absent"
    )
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for name, write in (("mixed.csv", write_mixed), ("same.csv", write_same)):
            path = Path(folder) / name
            write(path, given.millions)
            rows.append(measured(path, Path(folder) / f"{name}.prepared"))
            path.unlink()
    columns = ["file", "MiB", "seconds", "peak RSS MiB", "outcome"]
    print_table("Preparation", columns, rows)


if __name__ == "__main__":
    main()
