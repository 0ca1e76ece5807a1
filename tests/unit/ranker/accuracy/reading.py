"""Clicks, a clock to turn, and counters to read."""

from prometheus_client import REGISTRY

from headrace.contracts.events import EventType
from services.ranker.accuracy.clicks import Click


class Clock:
    """Stands until it is turned."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def click(
    user_id: str,
    n: int,
    ordinal: int,
    *,
    epoch: int = 0,
    event_id: str = "",
    kind: int = EventType.CLICK,
    at: float = 1_000.0,
    backfill: bool = False,
) -> Click:
    return Click(user_id, epoch, n, event_id or f"{user_id}-{n}", ordinal, int(kind), at, backfill)


def counted(name: str, **labels: str) -> float:
    """A counter, 0 where it was never touched."""
    return REGISTRY.get_sample_value(f"headrace_{name}_total", labels) or 0.0


class Since:
    """How much counters have grown since it was made."""

    def __init__(self) -> None:
        self._before = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for metric in REGISTRY.collect()
            for sample in metric.samples
        }

    def counted(self, name: str, **labels: str) -> float:
        key = (f"headrace_{name}_total", tuple(sorted(labels.items())))
        return counted(name, **labels) - self._before.get(key, 0.0)
