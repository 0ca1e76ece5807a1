"""The system under measurement: the one that is running, or one started for the occasion."""

import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

SERVICES = {
    "gateway": 9101,
    "event_ingest": 9102,
    "user_embedding": 9103,
    "item_embedding": 9104,
    "ranker": 9105,
}

# The demo's ids (MovieLens-100K).
USERS = [str(number) for number in range(1, 944)]
ITEMS = [str(number) for number in range(1, 1683)]


def metrics_port(service: str) -> int:
    """Of the running system."""
    return int(os.environ.get(f"HEADRACE_{service.upper()}_METRICS_PORT", SERVICES[service]))


@dataclass(frozen=True)
class Target:
    """Where the system listens, and a key with every scope."""

    url: str
    grpc_address: str
    kafka: str
    api_key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}

    def samples(self, service: str, metric: str) -> float:
        """Sum of a metric's samples over its labels, from the service's operations port."""
        address = f"http://127.0.0.1:{metrics_port(service)}/metrics"
        with urllib.request.urlopen(address, timeout=5) as answer:
            text = answer.read().decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == metric
        )

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time that each service has used since its start."""
        return {name: self.samples(name, "process_cpu_seconds_total") for name in SERVICES}


@contextmanager
def running_target() -> Iterator[Target]:
    """Attaches to the gateway of `make run`; starts the system where it is not running."""
    home = Path(os.environ.get("HEADRACE_HOME", ".headrace"))
    url = f"http://127.0.0.1:{os.environ.get('HEADRACE_GATEWAY_HTTP_PORT', '8080')}"
    started = None
    if not _ready(url):
        sys.stderr.write("Headrace is not running: starting it for this measurement ...\n")
        started = subprocess.Popen(
            [sys.executable, "-m", "headrace.local.run"], stdout=subprocess.PIPE, text=True
        )
        _wait_for_summary(started)
    try:
        yield Target(
            url=url,
            grpc_address=f"127.0.0.1:{os.environ.get('HEADRACE_GATEWAY_GRPC_PORT', '50051')}",
            kafka=os.environ.get("HEADRACE_KAFKA_BOOTSTRAP_SERVERS")
            or f"127.0.0.1:{os.environ.get('HEADRACE_LOCAL_KAFKA_PORT', '19092')}",
            api_key=(home / "api_key").read_text(encoding="utf-8").strip(),
        )
    finally:
        if started is not None:
            started.terminate()
            started.wait(60)


def _wait_for_summary(process: "subprocess.Popen[str]") -> None:
    """Reads what the start prints up to the API key, its last line before it is ready."""
    assert process.stdout is not None
    for line in process.stdout:
        sys.stderr.write(line)
        if line.startswith("API key:"):
            # What it prints from now on is read by nobody, and must not fill the pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return
    sys.exit(f"Headrace ended with status {process.wait()}")


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
