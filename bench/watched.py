"""A service whose watching can be taken out and put back while it serves: `python -m bench.watched
ranker`.

Signal SIGRTMIN + n chooses the n-th `Watching`. One process for all of them, because two processes
of the same code differ by as much as is to be measured.
"""

import logging
import runpy
import secrets
import signal
import sys
from enum import IntEnum
from types import FrameType
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from headrace.runtime import context, grpc_channel
from headrace.runtime.context import RequestContext
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
    PRODUCT = 3
    """Metrics, and what the product makes of lists: topic `impressions` and live accuracy."""


_COUNTING = ("inc", "dec", "set", "set_to_current_time", "observe")
_ALWAYS = frozenset({Watching.METRICS, Watching.TRACED, Watching.PRODUCT})
_PRODUCT = frozenset({Watching.PRODUCT})


def _nothing(*_: object, **__: object) -> None:
    """Costs a call."""


def _no_headers() -> list[tuple[str, str]]:
    return []


def _made_here(request_id: str | None, _traceparent: str | None) -> RequestContext:
    return RequestContext(request_id or secrets.token_hex(8), "")


_NOBODYS = RequestContext("", "")


def _not_made(_request_id: str | None, _traceparent: str | None) -> RequestContext:
    return _NOBODYS


class Switch:
    """Attributes of classes and modules, as they are and as they are without."""

    def __init__(self, service: str) -> None:
        self._parts: list[tuple[Any, str, Any, Any, frozenset[Watching]]] = []
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

    def choose(self, watching: Watching) -> None:
        for owner, name, present, absent, wanted in self._parts:
            setattr(owner, name, present if watching in wanted else absent)
        logging.disable(logging.CRITICAL if watching is Watching.BARE else logging.NOTSET)
        self._tracer = self._tracer or TRACING._tracer
        TRACING._tracer = self._tracer if watching is Watching.TRACED else None

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.choose(Watching(number - signal.SIGRTMIN))

    def _part(self, owner: Any, name: str, absent: Any, wanted: frozenset[Watching]) -> None:
        self._parts.append((owner, name, getattr(owner, name), absent, wanted))


def main() -> None:
    switch = Switch(sys.argv[1])
    for watching in Watching:
        signal.signal(signal.SIGRTMIN + watching, switch.on_signal)
    runpy.run_module(f"services.{sys.argv[1]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
