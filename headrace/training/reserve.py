"""The time to keep for what comes after the towers, from what a rehearsal of it takes here."""

from __future__ import annotations

import time
from collections.abc import Callable

from headrace.training.model import Model
from headrace.training.split import Part

# Exporting and checking four graphs takes 10 s of one core; on busy cores it waits for more.
_PUBLISH_CPU_S = 10.0
# Of the time for fitting, the head gets this share, and never more than it can use.
_HEAD_SHARE = 0.15
_HEAD_MOST_S = 900.0
_FEW, _MANY = 8, 72


class Reserve:
    """Made before fitting; `retrieve` is the work that is done for each list of candidates."""

    def __init__(self, model: Model, retrieve: Callable[[Model, Part], object]) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()
        few, many = (_timed(retrieve, model, n) for n in (_FEW, _MANY))
        self._fixed_s = few
        self._list_s = max(many - few, 0.0) / (_MANY - _FEW)

    def publish_s(self) -> float:
        """For the bundle, at the pace that this process has had so far."""
        wall, cpu = time.monotonic() - self._wall, time.process_time() - self._cpu
        return _PUBLISH_CPU_S * max(1.0, wall / max(cpu, 1e-9))

    def lists_s(self, *lengths: int) -> float:
        """For so many sets of candidate lists."""
        return sum(self._fixed_s + n * self._list_s for n in lengths)


def head_s(left_s: float) -> float:
    """Of the time left for both fittings, what is the head's."""
    return min(_HEAD_SHARE * left_s, _HEAD_MOST_S)


def _timed(retrieve: Callable[[Model, Part], object], model: Model, most: int) -> float:
    validation = model.split.validation
    part = Part(validation.users[:most], validation.positions[:most])
    started = time.monotonic()
    retrieve(model, part)
    return time.monotonic() - started
