"""Events and requests a second, from the counters that each process serves."""

import http.client
import time
from collections.abc import Iterable
from dataclasses import dataclass

from headrace.local.ports import HOST

EVENTS = ("headrace_kafka_records_processed_total",)
REQUESTS = ("headrace_grpc_requests_total", "headrace_http_requests_total")


@dataclass(frozen=True)
class Rates:
    """Per second, since the last look."""

    events: float = 0.0
    requests: float = 0.0


@dataclass(frozen=True)
class _Reading:
    at: float
    events: float
    requests: float


def counter_total(exposition: str, names: Iterable[str]) -> float:
    """Sum of the counters of these names over all labels, in Prometheus text."""
    wanted = set(names)
    total = 0.0
    for line in exposition.splitlines():
        name, brace, labelled = line.partition("{")
        if brace:
            value = labelled.rpartition("}")[2]
        else:
            name, _, value = line.partition(" ")
        if name in wanted:
            total += float(value.split()[0])
    return total


class RateMeter:
    """Remembers the last reading of each process."""

    def __init__(self) -> None:
        self._last: dict[int, _Reading] = {}

    def read(self, metrics_port: int) -> Rates:
        """Zero at the first look, after a restart, and where nobody answers."""
        text = _fetch(metrics_port)
        last = self._last.pop(metrics_port, None)
        if text is None:
            return Rates()
        now = _Reading(time.monotonic(), counter_total(text, EVENTS), counter_total(text, REQUESTS))
        self._last[metrics_port] = now
        if last is None or now.events < last.events or now.requests < last.requests:
            return Rates()
        seconds = now.at - last.at
        return Rates((now.events - last.events) / seconds, (now.requests - last.requests) / seconds)


def _fetch(port: int) -> str | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        return answer.read().decode() if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
