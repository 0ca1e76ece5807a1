"""Several processes on one run: each takes a finer partition of it."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any

from headrace.batch.job import Progress, finished, run
from headrace.batch.plan import plan_in
from headrace.batch.settings import BatchSettings
from headrace.errors import HeadraceError, Unavailable

Report = Callable[[Progress], None]


def run_workers(settings: BatchSettings, workers: int, report: Report) -> dict[str, Any] | None:
    """Makes what is missing of this partition. `report` hears of all workers together.

    Returns: the manifest, or None while other partitions have parts to make.
    Raises: Unavailable where a worker failed; it has said why.
    """
    spawn = multiprocessing.get_context("spawn")  # ONNX Runtime does not survive a fork
    place, of = settings.partition
    processes = []
    running: set[Connection] = set()
    last: dict[Connection, Progress] = {}
    for worker in range(workers):
        receiver, sender = spawn.Pipe(duplex=False)
        partition = (place + of * worker, of * workers)
        process = spawn.Process(
            target=_work, args=(replace(settings, partition=partition), sender), daemon=True
        )
        process.start()
        sender.close()  # so that the other end hears when the worker has ended
        processes.append(process)
        running.add(receiver)
    while running:
        for ready in wait(list(running)):
            assert isinstance(ready, Connection)
            try:
                last[ready] = ready.recv()
            except EOFError:
                running.remove(ready)
                ready.close()
                continue
            if running <= last.keys():
                report(_together(last.values()))
    for process in processes:
        process.join()
    failed = sum(process.exitcode != 0 for process in processes)
    if failed:
        raise Unavailable(f"{failed} of {workers} workers failed; start again to go on")
    return finished(settings.out, plan_in(settings.out))


def _together(last: Collection[Progress]) -> Progress:
    return Progress(
        sum(one.done for one in last),
        sum(one.parts for one in last),
        sum(one.people for one in last),
        max(one.seconds for one in last),
    )


def _work(settings: BatchSettings, progress: Connection) -> None:
    try:
        run(settings, progress.send)
    except BrokenPipeError:
        sys.exit("headrace: whoever started this worker is gone; parts made so far stay")
    except (HeadraceError, OSError) as error:
        sys.exit(f"headrace: {error}")
