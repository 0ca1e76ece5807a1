"""What watching costs: CPU of a list with and without metrics, logs, impressions, live accuracy and
traces: `python -m bench.overhead`.

Beside the gateway and the ranker that run, others are started from the same environment: bare ones
(`bench.bare`, and no live accuracy), and such that send spans of 1 % and of all requests to a
collector that throws them away. All have the same Kafka, Postgres and user_embedding, and are asked
in turns; a click for every ten lists goes to Kafka meanwhile, all of which the ranker that runs
scores or samples. CPU is that of one gateway and one ranker.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
from google.protobuf.timestamp_pb2 import Timestamp

from bench.report import print_table
from bench.serving import drive
from bench.target import ITEMS, USERS, Target, running_target
from headrace.api.events.v1.events_pb2 import EVENT_TYPE_CLICK, Event
from headrace.local.ports import HOST, free_ports
from headrace.local.service import Service
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import EVENTS

_LISTS_A_CLICK = 10
_IN_FLIGHT = 4
# What is measured is CPU: a busy machine may be late.
_PATIENT = {
    "HEADRACE_RANKER_DEADLINE_MS": "5000",
    "HEADRACE_USER_EMBEDDING_TIMEOUT_MS": "5000",
}
# A member of the group that scores clicks would take its share of them.
_BARE = {"HEADRACE_ACCURACY_SHARE": "0"}
Environment = Mapping[str, str]


@dataclass(frozen=True)
class Pair:
    """A gateway and the ranker that it asks."""

    name: str
    target: Target
    processes: Sequence[psutil.Process]

    def cpu_s(self) -> float:
        times = [process.cpu_times() for process in self.processes]
        return sum(one.user + one.system for one in times)


class Sink(BaseHTTPRequestHandler):
    """Takes spans and forgets them."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_request(self, *_: object) -> None:
        """Says nothing."""


def running(service: str, metrics_port: str) -> psutil.Process:
    for process in psutil.process_iter():
        try:
            ours = process.cmdline()[1:3] == ["-m", f"services.{service}"]
            if ours and process.environ().get("HEADRACE_METRICS_PORT") == metrics_port:
                return process
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    sys.exit(f"{service} with its metrics at port {metrics_port} does not run here")


@contextmanager
def another(
    name: str,
    target: Target,
    of: Mapping[str, Environment],
    changes: Environment,
) -> Iterator[Pair]:
    """A bare pair beside the running one. of: the environments of that."""
    ports = free_ports(5)
    address = f"{HOST}:{ports[0]}"
    told: dict[str, dict[str, str]] = {
        "ranker": {"HEADRACE_GRPC_PORT": str(ports[0]), "HEADRACE_METRICS_PORT": str(ports[1])},
        "gateway": {
            "HEADRACE_HTTP_PORT": str(ports[2]),
            "HEADRACE_GRPC_PORT": str(ports[3]),
            "HEADRACE_METRICS_PORT": str(ports[4]),
            "HEADRACE_RANKER_ADDRESS": address,
        },
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = [
            Service(
                service,
                [sys.executable, "-m", "bench.bare", service],
                port=int(env["HEADRACE_GRPC_PORT"]),
                metrics_port=int(env["HEADRACE_METRICS_PORT"]),
                env={**of[service], **changes, **env},
                log_file=folder / f"{service}.log",
            )
            for service, env in told.items()
        ]
        for part in parts:
            stack.enter_context(part)
        processes = [psutil.Process(part.pid) for part in parts]
        yield Pair(name, replace(target, url=f"http://{HOST}:{ports[2]}"), processes)


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


def measure(pair: Pair, lists: int) -> tuple[float, float]:
    """CPU in ms a list, and lists a second."""
    before, began = pair.cpu_s(), time.perf_counter()
    asyncio.run(drive(pair.target, "HTTP", _IN_FLIGHT, lists))
    elapsed = time.perf_counter() - began
    return (pair.cpu_s() - before) * 1_000 / lists, lists / elapsed


@contextmanager
def pairs() -> Iterator[Sequence[Pair]]:
    with ExitStack() as stack:
        os.environ.update(_PATIENT)  # for the system, where it is started here
        target = stack.enter_context(running_target())
        ports = {"gateway": "9101", "ranker": "9105"}
        there = {service: running(service, port) for service, port in ports.items()}
        of = {service: process.environ() for service, process in there.items()}
        sink = ThreadingHTTPServer((HOST, 0), Sink)
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        stack.callback(sink.shutdown)
        traces = {"HEADRACE_TRACES_URL": f"http://{HOST}:{sink.server_port}/v1/traces"}
        made = [Pair("as it is", target, list(there.values()))]
        for name, changes in (
            ("bare", {}),
            ("bare, 1 % traced", {**traces, "HEADRACE_TRACES_SHARE": "0.01"}),
            ("bare, all traced", {**traces, "HEADRACE_TRACES_SHARE": "1"}),
        ):
            made.append(
                stack.enter_context(another(name, target, of, {**_PATIENT, **_BARE, **changes}))
            )
        yield made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lists", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    with pairs() as all_of_them:
        rates = [measure(pair, len(USERS))[1] for pair in all_of_them]  # warm-up
        figures: dict[str, list[float]] = {pair.name: [] for pair in all_of_them}
        with clicks(all_of_them[0].target, statistics.median(rates) / _LISTS_A_CLICK):
            for _ in range(given.rounds):
                for pair in random.sample(all_of_them, len(all_of_them)):
                    figures[pair.name].append(measure(pair, given.lists)[0])
    bare = figures["bare"]
    rows = [
        [
            name,
            statistics.median(cpu),
            100 * (statistics.median(a / b for a, b in zip(cpu, bare, strict=True)) - 1),
            100 * (min(cpu) / min(bare) - 1),
        ]
        for name, cpu in figures.items()
    ]
    print_table(
        f"CPU of gateway and ranker for a list: {given.rounds} rounds of {given.lists} lists each, "
        f"a click for {_LISTS_A_CLICK} lists",
        ["", "ms a list, median", "% over bare, median of rounds", "% over bare, best rounds"],
        rows,
    )


if __name__ == "__main__":
    main()
