"""A service that nothing watches, to see what watching costs: `python -m bench.bare ranker`.

It counts nothing, logs nothing and notes down no served list; the rest is as ever.
"""

import logging
import runpy
import sys
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from services.gateway.impressions import ImpressionLog

_COUNTING = ("inc", "dec", "set", "set_to_current_time", "observe", "set_function")


def _nothing(*_: object, **__: object) -> None:
    """Costs a call."""


def _itself(metric: Any, *_: object, **__: object) -> Any:
    return metric


def main() -> None:
    for kind in (Counter, Gauge, Histogram):
        for method in ("labels", *_COUNTING):
            if hasattr(kind, method):
                setattr(kind, method, _itself if method == "labels" else _nothing)
    ImpressionLog.served = _nothing  # type: ignore[method-assign]
    logging.disable(logging.CRITICAL)
    runpy.run_module(f"services.{sys.argv[1]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
