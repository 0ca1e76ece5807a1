"""What watching costs: CPU of a list with and without metrics, logs and traces, and with what the
product makes of lists: `python -m bench.overhead`.

A gateway and a ranker beside the running system answer lists without a pause, while their watching
is switched again and again (`bench.watched`), every fifth of a second, since a busy machine is not
the same for a minute. A figure is the ratio of the CPU of both processes together to that of the
bare turns of the same round. A click for every ten lists goes to Kafka meanwhile.
"""

import argparse
import asyncio
import itertools
import os
import random
import re
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
from google.protobuf.timestamp_pb2 import Timestamp

from bench.report import median_within, print_table
from bench.serving import Ask, over_http
from bench.target import ITEMS, USERS, Target, metrics_port, running_target
from bench.watched import Watching
from headrace.api.events.v1.events_pb2 import EVENT_TYPE_CLICK, Event
from headrace.local.ports import HOST, free_ports
from headrace.local.service import Service
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import EVENTS

_LISTS_A_CLICK = 10
_IN_FLIGHT = 4
_WARM_UP_S = 10.0
# These turn by turn, so that the machine is the same for all of them. What was asked for before a
# turn is answered before it is measured.
_BY_TURNS = [Watching.BARE, Watching.METRICS, Watching.TRACED]
_TURNS = 12
_TURN_S = 0.16
_ANSWERED_S = 0.04
# Impressions are on their way for half a second: this begins once they go on evenly.
_PRODUCT_S = 1.5
_EVEN_S = 1.2
_IDLE_S = 10.0
_SCRAPES = 20
# What is measured is CPU: a busy machine may be late.
_PATIENT = {
    "HEADRACE_RANKER_DEADLINE_MS": "5000",
    "HEADRACE_USER_EMBEDDING_TIMEOUT_MS": "5000",
}
Environment = Mapping[str, str]


@dataclass(frozen=True)
class Process:
    """A service that is measured."""

    name: str
    pid: int
    metrics_port: int

    def cpu_s(self) -> float:
        """Since its start, to the nanosecond: the clock of clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def metrics(self) -> str:
        """What it tells Prometheus."""
        address = f"http://{HOST}:{self.metrics_port}/metrics"
        with urllib.request.urlopen(address) as answer:
            return str(answer.read(), "utf-8")

    def exports_s(self) -> float:
        """CPU that sending spans has taken since its start."""
        found = re.search(r"^bench_exports_cpu_seconds (\S+)$", self.metrics(), re.MULTILINE)
        return 0.0 if found is None else float(found[1])


@dataclass(frozen=True)
class Pair:
    """A gateway and the ranker that it asks."""

    target: Target
    processes: Sequence[Process]

    def cpu_s(self) -> list[float]:
        return [process.cpu_s() for process in self.processes]

    def exports_s(self) -> list[float]:
        return [process.exports_s() for process in self.processes]

    def switch(self, watching: Watching) -> None:
        for process in self.processes:
            os.kill(process.pid, signal.SIGRTMIN + watching)


class Sink(BaseHTTPRequestHandler):
    """Takes spans and forgets them."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_request(self, *_: object) -> None:
        """Says nothing."""


def running(service: str, metrics_port: int) -> psutil.Process:
    for process in psutil.process_iter():
        try:
            ours = process.cmdline()[1:3] == ["-m", f"services.{service}"]
            if ours and process.environ().get("HEADRACE_METRICS_PORT") == str(metrics_port):
                return process
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    sys.exit(f"{service} with its metrics at port {metrics_port} does not run here")


@contextmanager
def watched_pair(
    target: Target, of: Mapping[str, Environment], changes: Environment
) -> Iterator[Pair]:
    """A pair beside the running one. of: the environments of that."""
    ports = free_ports(5)
    told: dict[str, dict[str, str]] = {
        "ranker": {"HEADRACE_GRPC_PORT": str(ports[0]), "HEADRACE_METRICS_PORT": str(ports[1])},
        "gateway": {
            "HEADRACE_HTTP_PORT": str(ports[2]),
            "HEADRACE_GRPC_PORT": str(ports[3]),
            "HEADRACE_METRICS_PORT": str(ports[4]),
            "HEADRACE_RANKER_ADDRESS": f"{HOST}:{ports[0]}",
        },
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        processes = []
        for service, env in told.items():
            part = Service(
                service,
                [sys.executable, "-m", "bench.watched", service],
                port=int(env["HEADRACE_GRPC_PORT"]),
                metrics_port=int(env["HEADRACE_METRICS_PORT"]),
                env={**of[service], **changes, **env},
                log_file=folder / f"{service}.log",
            )
            stack.enter_context(part)
            assert part.pid is not None
            processes.append(Process(service, part.pid, int(env["HEADRACE_METRICS_PORT"])))
        yield Pair(replace(target, url=f"http://{HOST}:{ports[2]}"), processes)


@contextmanager
def clicks(target: Target, a_second: float) -> Iterator[None]:
    """New clicks of the demo's people on topic `events`, meanwhile."""
    publisher, stop = Publisher(target.kafka), threading.Event()

    def send() -> None:
        while not stop.wait(1 / a_second):
            user, now = random.choice(USERS), Timestamp()
            now.GetCurrentTime()
            event = Event(
                event_id=uuid.uuid4().hex,
                user_id=user,
                item_id=random.choice(ITEMS),
                type=EVENT_TYPE_CLICK,
                occurred_at=now,
                accepted_at=now,
            )
            publisher.publish([Outgoing(EVENTS, user.encode(), event.SerializeToString())])

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        publisher.close()


@dataclass
class Cost:
    """CPU of each process in seconds, and the lists that were answered meanwhile."""

    cpu_s: list[float] = field(default_factory=lambda: [0.0, 0.0])
    lists: int = 0

    def take(self, cpu_s: Sequence[float]) -> None:
        """More CPU, by process."""
        self.cpu_s = [so_far + more for so_far, more in zip(self.cpu_s, cpu_s, strict=True)]

    def ms(self) -> list[float]:
        """A list, by process."""
        return [1_000 * cpu_s / self.lists for cpu_s in self.cpu_s]


class Load:
    """Asks for lists without a pause. answered: how many there were."""

    def __init__(self) -> None:
        self.answered = 0
        self._users = itertools.cycle(random.sample(USERS, len(USERS)))

    async def asking(self, ask: Ask) -> None:
        while True:
            await ask(next(self._users))
            self.answered += 1

    async def add(self, pair: Pair, seconds: float, to: Cost) -> None:
        """What so long costs."""
        before, answered = pair.cpu_s(), self.answered
        await asyncio.sleep(seconds)
        to.take(_between(before, pair.cpu_s()))
        to.lists += self.answered - answered


Round = Mapping[Watching, Cost]


def _between(before: Sequence[float], after: Sequence[float]) -> list[float]:
    return [now - was for was, now in zip(before, after, strict=True)]


async def one_round(pair: Pair, load: Load) -> Round:
    """Of each watching. Spans are sent every five seconds, in whoever's turn: what that takes is
    put to those that are traced, and is more than it would be if all turns were theirs."""
    costs = {watching: Cost() for watching in Watching}
    exports = await asyncio.to_thread(pair.exports_s)
    for _ in range(_TURNS):
        for watching in random.sample(_BY_TURNS, len(_BY_TURNS)):
            pair.switch(watching)
            await asyncio.sleep(_ANSWERED_S)
            await load.add(pair, _TURN_S, costs[watching])
    costs[Watching.TRACED].take(_between(exports, await asyncio.to_thread(pair.exports_s)))
    pair.switch(Watching.PRODUCT)
    await asyncio.sleep(_EVEN_S)
    await load.add(pair, _PRODUCT_S, costs[Watching.PRODUCT])
    return costs


async def measured(pair: Pair, rounds: int) -> list[Round]:
    load = Load()
    async with over_http(pair.target) as ask, asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(load.asking(ask)) for _ in range(_IN_FLIGHT)]
        await asyncio.sleep(_WARM_UP_S)
        with clicks(pair.target, load.answered / _WARM_UP_S / _LISTS_A_CLICK):
            figures = [await one_round(pair, load) for _ in range(rounds)]
        for task in asking:
            task.cancel()
    return figures


def idle(processes: Sequence[Process]) -> list[float]:
    """CPU of each in ms a second while nobody asks for lists."""
    before = [process.cpu_s() for process in processes]
    time.sleep(_IDLE_S)
    return [
        1_000 * (process.cpu_s() - began) / _IDLE_S
        for process, began in zip(processes, before, strict=True)
    ]


def scraped(process: Process) -> float:
    """CPU in ms of an answer to Prometheus."""
    began = process.cpu_s()
    for _ in range(_SCRAPES):
        process.metrics()
    return 1_000 * (process.cpu_s() - began) / _SCRAPES


@contextmanager
def pair_beside() -> Iterator[tuple[Pair, Process]]:
    """The pair that is switched, and the ranker that runs without live accuracy."""
    with ExitStack() as stack:
        # For the system, if it is started here: another ranker would score a share of the clicks.
        os.environ.update(_PATIENT, HEADRACE_ACCURACY_SHARE="0")
        target = stack.enter_context(running_target())
        ports = {service: metrics_port(service) for service in ("gateway", "ranker")}
        there = {service: running(service, port) for service, port in ports.items()}
        of = {service: process.environ() for service, process in there.items()}
        if of["ranker"].get("HEADRACE_ACCURACY_SHARE") != "0":
            sys.exit("start Headrace with HEADRACE_ACCURACY_SHARE=0, or let this start it")
        sink = ThreadingHTTPServer((HOST, 0), Sink)
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        stack.callback(sink.shutdown)
        changes = {
            **_PATIENT,
            "HEADRACE_ACCURACY_SHARE": "1",
            "HEADRACE_TRACES_URL": f"http://{HOST}:{sink.server_port}/v1/traces",
            "HEADRACE_TRACES_SHARE": "0.01",
        }
        pair = stack.enter_context(watched_pair(target, of, changes))
        plain = Process("ranker without live accuracy", there["ranker"].pid, ports["ranker"])
        yield pair, plain


_NAMES = {
    Watching.BARE: "bare",
    Watching.METRICS: "metrics, logs, trace contexts",
    Watching.TRACED: "and spans of 1 %",
    Watching.PRODUCT: "metrics, impressions, live accuracy",
}


def print_lists(figures: Sequence[Round]) -> None:
    rows = []
    for watching, name in _NAMES.items():
        ms = [one[watching].ms() for one in figures]
        by_process = [statistics.median(of_one) for of_one in zip(*ms, strict=True)]
        ratios = [
            sum(one) / sum(round_[Watching.BARE].ms())
            for one, round_ in zip(ms, figures, strict=True)
        ]
        low, median, high = (100 * (ratio - 1) for ratio in median_within(ratios))
        within = "" if watching is Watching.BARE else f"{low:.1f} to {high:.1f}"
        rows.append([name, *by_process, sum(by_process), median, within])
    print_table(
        f"CPU of a list in ms: medians of {len(figures)} rounds, a click for {_LISTS_A_CLICK} "
        f"lists, load {os.getloadavg()[1]:.1f}",
        ["", "ranker", "gateway", "both", "% over bare", "95 % interval"],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    with pair_beside() as (pair, plain):
        figures = asyncio.run(measured(pair, given.rounds))
        pair.switch(Watching.PRODUCT)
        time.sleep(_EVEN_S)
        processes = [*pair.processes, plain]
        at_rest = idle(processes)
        scrapes = [scraped(process) for process in processes]
    print_lists(figures)
    print_table(
        "CPU that does not depend on lists",
        ["", "ms a second at rest", "ms a scrape"],
        [
            [process.name, still, scrape]
            for process, still, scrape in zip(processes, at_rest, scrapes, strict=True)
        ],
    )


if __name__ == "__main__":
    main()
