"""The learning curve, a point a judgement: as JSON Lines, and as TensorBoard reads it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

_log = logging.getLogger(__name__)

# Where TensorBoard shows each value.
_CHARTS = {
    "loss": "towers/loss",
    "learning_rate": "towers/learning_rate",
    "ndcg_at_10": "validation/NDCG@10",
    "events_per_s": "speed/events_per_s",
    "step_share": "speed/step_share",
    "loading_share": "speed/loading_share",
    "peak_gb": "memory/peak_gb",
    "gpu_peak_gb": "memory/gpu_peak_gb",
}


@dataclass(frozen=True)
class Point:
    """Where the towers stand, and what they cost so far; shares are of their whole time."""

    seconds: float
    epochs: int
    steps: int
    loss: float
    learning_rate: float
    ndcg_at_10: float
    events_per_s: float
    step_share: float  # forward, loss, gradients, update
    loading_share: float  # making batches
    peak_gb: float
    gpu_peak_gb: float

    def values(self) -> dict[str, float]:
        return {name: round(value, 6) for name, value in asdict(self).items()}


class Curve:
    """Appends to a file and to a folder of events; None: to neither.

    A disk that is full costs points and a warning, not the fitting.
    """

    def __init__(self, lines: Path | None, events: Path | None) -> None:
        self._lines = lines
        self._folder = events
        self._events: SummaryWriter | None = None
        self._warned = False

    def add(self, point: Point) -> None:
        with self._warning():
            if self._lines is not None:
                with self._lines.open("a") as file:
                    file.write(json.dumps(point.values()) + "\n")
            if self._folder is not None:
                self._chart(self._folder, point)

    def close(self) -> None:
        with self._warning():
            if self._events is not None:
                self._events.close()

    @contextmanager
    def _warning(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._warned:
                _log.warning("the learning curve cannot be written and has gaps: %s", error)
            self._warned = True

    def _chart(self, folder: Path, point: Point) -> None:
        if self._events is None:
            # Imported when asked for: it takes a second.
            from torch.utils.tensorboard.writer import SummaryWriter  # noqa: PLC0415

            # A resumed run repeats what was lost after its checkpoint: that is hidden.
            self._events = SummaryWriter(str(folder), purge_step=point.steps)
        for name, value in point.values().items():
            if name in _CHARTS:
                self._events.add_scalar(_CHARTS[name], value, point.steps)
        self._events.flush()
