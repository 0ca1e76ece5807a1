"""A service whose watching can be taken out and put back while it serves: `python -m bench.watched
ranker`.

Signal SIGRTMIN + n chooses the n-th `Watching`. One process for all of them, because two processes
of the same code differ by as much as is to be measured.
"""

import logging
import runpy
import signal
import sys
import time
from enum import IntEnum
from types import FrameType
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from prometheus_client import Counter, Gauge, Histogram

from headrace.runtime import context, grpc_channel
from headrace.runtime.context import RequestContext
from headrace.runtime.ids import new_id
from headrace.runtime.tracing import TRACING
from services.gateway.impressions import ImpressionLog
from services.ranker.accuracy.inputs import Inputs
from services.ranker.accuracy.prequential import Prequential
from services.ranker.accuracy.shown import Shown


class Watching(IntEnum):
    """What is done beside making lists."""

    BARE = 0
    """Nothing; an answer has its request's id, which the API promises."""
    METRICS = 1
    """Metrics, logs, and trace contexts that travel; no trace is followed."""
    TRACED = 2
    """And spans of `HEADRACE_TRACES_SHARE` of the requests."""
    EVERY = 3
    """And spans of all requests."""
    PRODUCT = 4
    """Metrics, and what the product makes of lists: topic `impressions` and live accuracy."""


EXPORTS = Gauge("bench_exports_cpu_seconds", "CPU that sending spans has taken.")
_COUNTING = ("inc", "dec", "set", "set_to_current_time", "observe")
_ALWAYS = frozenset(Watching) - {Watching.BARE}
_TRACED = frozenset({Watching.TRACED, Watching.EVERY})
_PRODUCT = frozenset({Watching.PRODUCT})


def _nothing(*_: object, **__: object) -> None:
    """Costs a call."""


def _no_headers() -> list[tuple[str, str]]:
    return []


def _made_here(request_id: str | None, _traceparent: str | None) -> RequestContext:
    return RequestContext(request_id or new_id(16), "")


_NOBODYS = RequestContext("", "")


def _not_made(_request_id: str | None, _traceparent: str | None) -> RequestContext:
    return _NOBODYS


class Switch:
    """Puts a choice before methods and functions: what they do, or what is done without.

    Once, and not again with each choice: Python learns how a class is used, and forgets it when the
    class changes.
    """

    def __init__(self, service: str) -> None:
        self._now = Watching.PRODUCT
        for kind in (Counter, Gauge, Histogram):
            for method in _COUNTING:
                if hasattr(kind, method):
                    self._part(kind, method, _nothing, _ALWAYS)
        # Only the gateway's answers tell the id.
        begin = _made_here if service == "gateway" else _not_made
        self._part(context, "begin", begin, _ALWAYS)
        self._part(grpc_channel, "outgoing_headers", _no_headers, _ALWAYS)
        for owner, method in (
            (ImpressionLog, "served"),
            (Prequential, "take"),
            (Shown, "take"),
            (Inputs, "take"),
        ):
            self._part(owner, method, _nothing, _PRODUCT)
        self._tracer: Any = None
        self._share = 0.0

    def choose(self, watching: Watching) -> None:
        self._now = watching
        logging.disable(logging.CRITICAL if watching is Watching.BARE else logging.NOTSET)
        if self._tracer is None:
            self._tracer, self._share = TRACING._tracer, TRACING._share
        TRACING._tracer = self._tracer if watching in _TRACED else None
        TRACING._share = 1.0 if watching is Watching.EVERY else self._share

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.choose(Watching(number - signal.SIGRTMIN))

    def _part(self, owner: Any, name: str, absent: Any, wanted: frozenset[Watching]) -> None:
        present = getattr(owner, name)

        def chosen(*given: Any, **named: Any) -> Any:
            return (present if self._now in wanted else absent)(*given, **named)

        setattr(owner, name, chosen)


class Exports:
    """CPU that sending spans takes: it comes seconds after what is traced, whatever is watched
    then. A thread of its own sends."""

    def __init__(self) -> None:
        self._cpu_s = 0.0
        export = OTLPSpanExporter.export

        def timed(exporter: OTLPSpanExporter, spans: Any) -> Any:
            began = time.thread_time()
            try:
                return export(exporter, spans)
            finally:
                self._cpu_s += time.thread_time() - began

        setattr(OTLPSpanExporter, "export", timed)  # noqa: B010 - a method cannot be assigned to
        EXPORTS.set_function(lambda: self._cpu_s)


def main() -> None:
    switch = Switch(sys.argv[1])
    Exports()
    for watching in Watching:
        signal.signal(signal.SIGRTMIN + watching, switch.on_signal)
    runpy.run_module(f"services.{sys.argv[1]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
