"""A model switch under load: `python -m bench.release`.

200 requests/s and 200 clicks/s arrive whether or not the ones before were answered, while a copy of
the demo's model under another version is prepared, gets half of the people, is promoted, and is
rolled back. Each phase is set beside the steady one before it.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import psutil

from bench.report import percentiles_ms, print_table
from bench.target import ITEMS, USERS, Target, running_target
from headrace.local.ports import Ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.local.slots import MODEL_SERVICES

_LIST_LENGTH = 20
# Of the registry, and of Kafka's group that the candidate joins.
_PREPARED_S = 300
_UNAVAILABLE = 599
"""Noted down where there was no answer at all."""


@dataclass
class Phase:
    """What came of the requests that were due while it lasted."""

    name: str
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    degraded: int = 0
    clicks: int = 0
    clicks_failed: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    whose: dict[str, set[str]] = field(default_factory=dict)
    """Models that made each person's lists."""

    @property
    def p99_ms(self) -> float:
        return percentiles_ms(self.seconds)[2]

    def of_both(self) -> int:
        """People who got lists of two models."""
        return sum(len(models) > 1 for models in self.whose.values())


class Load:
    """Lists and clicks at fixed rates. `phase` may be replaced while it runs."""

    def __init__(self, target: Target, rate: int) -> None:
        self._target = target
        self._rate = rate
        self.phase = Phase("warm-up")

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(
            self._target.url,
            headers=self._target.headers,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=10),
        ) as session:
            tasks = [
                asyncio.create_task(self._arrivals(partial(self._ask, session))),
                asyncio.create_task(self._arrivals(partial(self._click, session))),
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _arrivals(self, one: Callable[[float, Phase], Awaitable[None]]) -> None:
        """As many a second as the rate says, at even distances."""
        under_way: set[asyncio.Task[None]] = set()
        due = time.perf_counter()
        try:
            while True:
                due += 1 / self._rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                task = asyncio.ensure_future(one(due, self.phase))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
        finally:
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _ask(self, session: aiohttp.ClientSession, due: float, phase: Phase) -> None:
        user = random.choice(USERS)
        try:
            path = f"/v1/users/{user}/recommendations?n={_LIST_LENGTH}"
            async with session.get(path) as answer:
                body = await answer.json()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = _UNAVAILABLE
        phase.seconds.append(time.perf_counter() - due)
        if status != 200 or len(body["items"]) != _LIST_LENGTH:
            phase.failed += 1
            return
        phase.degraded += body["degraded"] is not None
        phase.versions[body["model_version"]] += 1
        phase.whose.setdefault(user, set()).add(body["model_version"])

    async def _click(self, session: aiohttp.ClientSession, due: float, phase: Phase) -> None:
        event = {
            "event_id": uuid.uuid4().hex,
            "user_id": random.choice(USERS),
            "item_id": random.choice(ITEMS),
            "type": "click",
        }
        phase.clicks += 1
        try:
            async with session.post("/v1/events", json={"events": [event]}) as answer:
                phase.clicks_failed += answer.status != 202
        except (aiohttp.ClientError, TimeoutError):
            phase.clicks_failed += 1


async def release(target: Target, database_url: str, *arguments: str) -> str:
    """`headrace release`; ends this measurement where it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "headrace.cli", "release", *arguments),
        env={
            **os.environ,
            "HEADRACE_DATABASE_URL": database_url,
            "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": target.kafka,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    sys.stderr.write(said)
    if process.returncode:
        raise SystemExit(process.returncode)
    return said


@dataclass
class Measured:
    """What there is to tell, also where the release was stopped on the way."""

    phases: list[Phase] = field(default_factory=list)
    memory: list[list[object]] = field(default_factory=list)
    """When, processes of models, MiB."""
    whole: bool = False
    """The last phase was reached: nothing stopped the candidate before."""


async def measure(
    measured: Measured, target: Target, database_url: str, candidate: Path, pace: tuple[int, int]
) -> None:
    """pace: lists and clicks a second, and seconds of a phase."""
    rate, seconds = pace
    phases, memory = measured.phases, measured.memory
    load = Load(target, rate)

    def begin(name: str) -> Phase:
        load.phase = Phase(name)
        phases.append(load.phase)
        return load.phase

    async def run(*arguments: str) -> None:
        await release(target, database_url, *arguments)

    async with load.going():
        await asyncio.sleep(seconds)
        begin("steady")
        memory.append(["before", *models_memory()])
        await asyncio.sleep(2 * seconds)
        begin("prepare")
        await run("propose", str(candidate), "--force")
        begin("canary of half")
        await run("canary", "50%", "--wait", str(_PREPARED_S))
        await asyncio.sleep(2)  # gateways read the registry every second
        begin("canary, settled")
        await asyncio.sleep(seconds)
        memory.append(["both", *models_memory()])
        begin("promote")
        await run("promote", "--wait", "60")
        await asyncio.sleep(seconds)
        begin("rollback")
        await run("rollback", "--reason", "a rehearsal")
        await asyncio.sleep(seconds)
        begin("after")
        await asyncio.sleep(seconds)
        memory.append(["after", *models_memory()])
    measured.whole = True


def copied(bundle: Path, parent: Path) -> Path:
    """The same model under another version."""
    folder = Path(shutil.copytree(bundle, parent / "candidate"))
    manifest = folder / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    version = f"copy-{uuid.uuid4().hex[:8]}"
    manifest.write_text(json.dumps({**content, "model_version": version}), encoding="utf-8")
    return folder


def models_memory() -> tuple[int, float]:
    """Processes that hold a model now, and their memory in MiB, shared pages divided. Of the
    system that was started for this measurement; of no other one."""
    names = {f"services.{name}" for name in MODEL_SERVICES}
    found = [
        process
        for process in psutil.Process().children(recursive=True)
        if not names.isdisjoint(process.cmdline())
    ]
    return len(found), sum(process.memory_full_info().pss for process in found) / 2**20


def database_of_home() -> str:
    home = Path(os.environ.get("HEADRACE_HOME", ".headrace"))
    port = Ports.from_environment().local_postgres
    return os.environ.get("HEADRACE_DATABASE_URL") or EmbeddedPostgres(home / "postgres", port).dsn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=200, help="lists, and clicks, a second")
    parser.add_argument("--seconds", type=int, default=15, help="of a phase")
    given = parser.parse_args()
    home = Path(os.environ.get("HEADRACE_HOME", ".headrace")).resolve()
    with running_target() as target, TemporaryDirectory() as folder:
        candidate = copied(home / "bundles" / "demo", Path(folder))
        measured = Measured()
        pace = (given.rate, given.seconds)
        try:
            asyncio.run(measure(measured, target, database_of_home(), candidate, pace))
        finally:
            show(measured, given.rate)


def show(measured: Measured, rate: int) -> None:
    """Prints the phases beside the steady one, and memory."""
    phases = [phase for phase in measured.phases if phase.seconds]
    if not phases:
        return
    steady, *switch = phases
    rows = []
    for phase in phases:
        p50, _, p99 = percentiles_ms(phase.seconds)
        made = " + ".join(str(count) for _, count in sorted(phase.versions.items()))
        rows.append(
            [
                phase.name,
                len(phase.seconds),
                phase.failed,
                phase.degraded,
                phase.clicks,
                phase.clicks_failed,
                p50,
                p99,
                p99 / steady.p99_ms,
                made,
                phase.of_both(),
            ]
        )
    print_table(
        f"A switch under {rate} lists/s and {rate} clicks/s",
        [
            "phase",
            "lists",
            "failed",
            "degraded",
            "clicks",
            "failed",
            "p50 ms",
            "p99 ms",
            "of steady",
            "lists by model",
            "people with both",
        ],
        rows,
    )
    print_table("Processes of models", ["when", "processes", "PSS MiB"], measured.memory)
    if switch:
        worst = max(switch, key=lambda phase: phase.p99_ms)
        sys.stdout.write(
            f"p99 at most {worst.p99_ms / steady.p99_ms:.2f} times the steady one ({worst.name}); "
            f"failed: {sum(phase.failed for phase in phases)} lists, "
            f"{sum(phase.clicks_failed for phase in phases)} clicks\n"
        )
    if not measured.whole:
        sys.stdout.write("The switch was not made; above is what it ended with.\n")


if __name__ == "__main__":
    main()
