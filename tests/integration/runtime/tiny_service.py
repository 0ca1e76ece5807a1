"""The smallest service there is, for tests of start and stop: `python -m …tiny_service`."""

import asyncio
import logging
import os
import sys
import threading
from contextlib import AsyncExitStack
from dataclasses import dataclass

from headrace.errors import Unavailable
from headrace.runtime.process import Process, run_process
from headrace.runtime.settings import ProcessSettings

log = logging.getLogger("headrace.tiny")


@dataclass(frozen=True, kw_only=True)
class TinySettings(ProcessSettings):
    behaviour: str = "serve"


async def serve(settings: TinySettings, process: Process) -> None:
    async with AsyncExitStack() as stack:
        stack.callback(sys.stdout.write, "closed\n")
        if settings.behaviour == "hang at start":
            sys.stdout.write("starting\n")
            sys.stdout.flush()
            await asyncio.sleep(600)
        if settings.behaviour == "fail at start":
            raise Unavailable("Postgres did not answer")
        stack.push_async_callback(drain)
        if settings.behaviour == "fail":
            error = RuntimeError("the consumer died")
            threading.Thread(target=process.fail, args=(error,)).start()
        process.readiness.require("work", lambda: True)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await process.until_told_to_stop()


async def drain() -> None:
    await asyncio.sleep(0)
    log.info("drained", extra={"pid": os.getpid()})


if __name__ == "__main__":
    run_process("tiny", TinySettings, serve)
