"""Fitting a small network: as long as validation gains and time is left."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

# An epoch, NDCG@10 on validation after it, and the seconds left.
Watch = Callable[[int, float, float], None]


def _unwatched(epoch: int, quality: float, left_s: float) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Effort:
    """How much a fit may cost; it ends earlier once validation gains nothing.

    What it prints as are the settings alone: time, onlookers and devices are none.
    """

    seconds: float = field(default=120.0, repr=False)
    max_epochs: int = 200
    seed: int = 0
    patience: int = 20  # epochs; in a small data set one has few steps
    watch: Watch = field(default=_unwatched, repr=False)
    device: torch.device = field(default=torch.device("cpu"), repr=False)

    def tensor(self, values: NDArray[Any]) -> Tensor:
        """The same numbers on the device."""
        return torch.from_numpy(values).to(self.device)


def learn(
    model: nn.Module,
    losses: Callable[[np.random.Generator], Iterator[Tensor]],
    quality: Callable[[], float],
    effort: Effort,
    learning_rate: float,
) -> None:
    """Minimise an epoch's losses, over and over; the best weights on validation stay.

    `losses` yields one loss a step; `quality` is asked after each epoch, greater is better.
    """
    end = time.monotonic() + effort.seconds
    random = np.random.default_rng(effort.seed)
    optimiser = torch.optim.Adam(model.parameters(), learning_rate)
    best, weights, best_epoch = -1.0, copy.deepcopy(model.state_dict()), 0
    for epoch in range(effort.max_epochs):
        model.train()
        for loss in losses(random):
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            if time.monotonic() > end:
                break
        model.eval()
        now = quality()
        effort.watch(epoch + 1, now, end - time.monotonic())
        if now > best:
            best, weights, best_epoch = now, copy.deepcopy(model.state_dict()), epoch
        if epoch - best_epoch >= effort.patience or time.monotonic() > end:
            break
    model.load_state_dict(weights)


def batches(count: int, size: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """All of 0 to count-1 in random order, so many at a time."""
    order = random.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]
