"""Fitting the towers: next item at every position, best weights on validation kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headrace.models.item_cnn import ItemInputs
from headrace.models.losses import catalogue_softmax, sampled_softmax
from headrace.training.batches import Chunk, chunks
from headrace.training.budget import Budget
from headrace.training.catalogue import LearningCatalogue
from headrace.training.settings import TrainingSettings
from headrace.training.towers import LogTensors, Towers

# Averaged weights generalise better than the last ones (Polyak and Juditsky 1992).
_AVERAGE_OVER_STEPS = 100
_EVALUATIONS = 5
_WARM_UP_STEPS = 50


class TowerFit:
    """One run of training. `ends` [U] is where learning ends in each person's history."""

    def __init__(
        self,
        towers: Towers,
        log: LogTensors,
        inputs: ItemInputs,
        ends: NDArray[np.int64],
        settings: TrainingSettings,
    ) -> None:
        self._towers = towers
        self._log = log
        self._ends = ends
        self._settings = settings
        self._items = len(inputs.id_row)
        self._catalogue = LearningCatalogue(towers.item, inputs, settings)
        self._random = np.random.default_rng(settings.seed)
        self._optimiser = torch.optim.AdamW(
            _groups(towers, settings.weight_decay),
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        self._average = copy.deepcopy(towers).eval()
        self._steps = 0

    def run(
        self,
        budget: Budget,
        quality: Callable[[Towers], float],
        report: Callable[[int, float, float], None],
        tick: Callable[[], None] = lambda: None,
    ) -> int:
        """Train until the budget or the epochs are spent; leave the best weights in the towers.

        `quality` judges averaged weights, greater is better; `report` gets epoch, loss and
        quality after each judgement; `tick` is called after each step. Returns the epochs.
        """
        best, best_weights, epoch, judged_at = -math.inf, self._average.state_dict(), 0, 0.0
        while True:
            loss = self._epoch(epoch, budget, tick)
            epoch += 1
            share = max(epoch / self._settings.max_epochs, budget.share)
            if share - judged_at >= 1 / _EVALUATIONS or share >= 1:
                judged_at = share
                value = quality(self._average)
                report(epoch, loss, value)
                if value > best:
                    best, best_weights = value, copy.deepcopy(self._average.state_dict())
            if share >= 1:
                self._towers.load_state_dict(best_weights)
                self._towers.eval()
                return epoch

    def _epoch(self, epoch: int, budget: Budget, tick: Callable[[], None]) -> float:
        """Returns the mean loss."""
        self._towers.train()
        losses, state = [], torch.zeros(0)
        for chunk in chunks(
            self._log.offsets,
            self._ends,
            self._settings.batch_users,
            self._settings.chunk,
            self._random,
        ):
            share = max(epoch / self._settings.max_epochs, budget.share)
            self._set_learning_rate(share)
            if chunk.first:
                state = self._towers.user.initial_state(len(chunk.events))
            loss, state = self._step(chunk, state)
            losses.append(loss)
            tick()
            if budget.left <= 0:
                break
        return float(np.mean(losses)) if losses else math.nan

    def _step(self, chunk: Chunk, state: Tensor) -> tuple[float, Tensor]:
        events = torch.from_numpy(chunk.events)  # [B,L]
        learn = torch.from_numpy(chunk.learn)
        inputs, targets = self._log.items[events], self._log.items[events + 1]
        sampled = self._negatives()
        columns, where = torch.unique(
            torch.cat([inputs.flatten(), targets.flatten(), sampled]), return_inverse=True
        )
        vectors, biases = self._catalogue.vectors(columns)  # [M,D], [M]
        where_in, where_to = where[: inputs.numel()], where[inputs.numel() : 2 * inputs.numel()]
        after, users = self._towers.user.sequence(
            state,
            vectors[where_in].reshape(*inputs.shape, -1),
            self._log.kinds[events],
            self._log.gap_s[events],
            torch.full((len(events),), events.shape[1]),
        )
        users, where_to = users[learn], where_to[learn.flatten()]
        if len(sampled) == self._items:
            loss = catalogue_softmax(users, vectors, biases, where_to)
        else:
            loss = self._sampled(users, vectors, biases, where_to, where[2 * inputs.numel() :])
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._towers.parameters(), 5.0)
        self._optimiser.step()
        self._steps += 1
        self._update_average()
        return float(loss.detach()), after.detach()

    def _negatives(self) -> Tensor:
        """The whole catalogue where it is small, else a uniform sample: [M]."""
        if self._items <= self._settings.full_softmax_up_to:
            return torch.arange(self._items)
        return torch.randint(self._items, (self._settings.negatives,))

    def _sampled(
        self, users: Tensor, vectors: Tensor, biases: Tensor, targets: Tensor, sampled: Tensor
    ) -> Tensor:
        log_expected = torch.full((len(sampled),), math.log(len(sampled) / self._items))
        return sampled_softmax(
            users,
            (vectors[targets], biases[targets]),
            (vectors[sampled], biases[sampled]),
            log_expected,
            targets.unsqueeze(1) == sampled,
        )

    def _set_learning_rate(self, share: float) -> None:
        """A short warm-up, then half a cosine down to a twentieth."""
        warm = min(1.0, (self._steps + 1) / _WARM_UP_STEPS)
        decay = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.learning_rate * warm * decay

    @torch.no_grad()
    def _update_average(self) -> None:
        weight = 1 / min(self._steps, _AVERAGE_OVER_STEPS)
        for mean, value in zip(self._average.parameters(), self._towers.parameters(), strict=True):
            mean.lerp_(value, weight)


def _groups(towers: Towers, decay: float) -> list[dict[str, object]]:
    """Matrices decay; biases, norms, the gate and the rates of the recurrence stay put."""
    still = {towers.item.biases.weight, *(p for p in towers.parameters() if p.dim() < 2)}
    return [
        {"params": [p for p in towers.parameters() if p not in still], "weight_decay": decay},
        {"params": [p for p in towers.parameters() if p in still], "weight_decay": 0.0},
    ]
