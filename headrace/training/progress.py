"""Where a fitting stands."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.training.settings import TrainingSettings


@dataclass
class Progress:
    """Counts since the beginning, since the epoch's beginning, and what judgements found."""

    epochs: int = 0
    steps: int = 0
    chunks: int = 0  # of this epoch
    events: int = 0  # of this epoch
    learned: int = 0  # events of all epochs
    loss: float = math.nan  # mean of the last whole epoch
    quality: float = -math.inf
    best: float = -math.inf
    best_epoch: int = 0
    judgements_since_best: int = 0
    judged: float = 0.0  # share of the course
    judged_at_s: float = 0.0
    judging_s: float = 0.0  # what the last judgement took
    loss_sum: float = 0.0
    rate: float = 0.0  # of learning
    stepping_s: float = 0.0  # forward, loss, gradients, update
    loading_s: float = 0.0  # making batches
    cut: bool = False  # the time ended an epoch before its end

    def step(self, loss: float, events: int) -> None:
        """Count a step over so many events."""
        self.steps += 1
        self.chunks += 1
        self.events += events
        self.learned += events
        self.loss_sum += loss

    def spend(self, *, loading_s: float, stepping_s: float) -> None:
        """Add what a step took."""
        self.loading_s += loading_s
        self.stepping_s += stepping_s

    def end_epoch(self) -> None:
        self.loss = self.loss_sum / max(self.chunks, 1)
        self.epochs += 1
        self.chunks, self.events, self.loss_sum = 0, 0, 0.0

    def judge(self, quality: float, share: float) -> None:
        """Note a judgement; it counts as the best until a greater one."""
        self.quality, self.judged = quality, share
        if quality > self.best:
            self.best, self.best_epoch, self.judgements_since_best = quality, self.epochs, 0
        else:
            self.judgements_since_best += 1

    def cut_from(self, settings: TrainingSettings) -> bool:
        """Whether neither the number of epochs nor the patience ended the fitting."""
        if settings.max_epochs is None or self.judgements_since_best >= settings.patience:
            return False
        return self.cut or self.epochs < settings.max_epochs

    def state(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def restore(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
