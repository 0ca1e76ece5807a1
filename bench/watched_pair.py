"""A gateway and a ranker beside the running ones, whose watching can be switched."""

import os
import re
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from bench.target import Target, metrics_port, running_target
from bench.watched import Watching
from headrace.local.ports import HOST, free_ports
from headrace.local.service import Service

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
