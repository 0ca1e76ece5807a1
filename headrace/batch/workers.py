"""Several processes on one run: each takes a finer partition of it."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from headrace.batch.job import Progress, finished, run
from headrace.batch.plan import plan_in
from headrace.batch.settings import BatchSettings
from headrace.errors import HeadraceError, Unavailable

Report = Callable[[Progress], None]


def run_workers(settings: BatchSettings, workers: int, report: Report) -> dict[str, Any] | None:
    """Makes what is missing of this partition. `report` is called in the workers.

    Returns: the manifest, or None while other partitions have parts to make.
    Raises: Unavailable where a worker failed; it has said why.
    """
    spawn = multiprocessing.get_context("spawn")  # ONNX Runtime does not survive a fork
    place, of = settings.partition
    processes = [
        spawn.Process(
            target=_work,
            args=(replace(settings, partition=(place + of * worker, of * workers)), report),
            daemon=True,
        )
        for worker in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    failed = sum(process.exitcode != 0 for process in processes)
    if failed:
        raise Unavailable(f"{failed} of {workers} workers failed; start again to go on")
    return finished(settings.out, plan_in(settings.out))


def _work(settings: BatchSettings, report: Report) -> None:
    def tell(progress: Progress) -> None:
        report(progress)
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            sys.exit("headrace: whoever started this worker is gone; parts made so far stay")

    try:
        run(settings, tell)
    except (HeadraceError, OSError) as error:
        sys.exit(f"headrace: {error}")
