"""Fitting the towers: next item at every position, best weights on validation kept."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headrace.models.item_cnn import ItemInputs
from headrace.models.losses import catalogue_softmax, sampled_softmax
from headrace.training.batches import Chunk, chunks
from headrace.training.catalogue import LearningCatalogue
from headrace.training.compute import Compute
from headrace.training.course import Course, learning_rate
from headrace.training.progress import Progress
from headrace.training.settings import TrainingSettings
from headrace.training.team import Team
from headrace.training.towers import LogTensors, Towers

# Averaged weights generalise better than the last ones (Polyak and Juditsky 1992): over so many
# steps, or a twentieth of all of them.
_AVERAGE_OVER_STEPS = 100
_AVERAGE_OVER_SHARE = 0.05


class TowerFit:
    """One run of training, on a device to which it takes the towers.

    `ends` [U] is where learning ends in each person's history; `log` and `inputs` lie on the
    device.
    """

    def __init__(
        self,
        towers: Towers,
        log: LogTensors,
        inputs: ItemInputs,
        ends: NDArray[np.int64],
        settings: TrainingSettings,
        *,
        team: Team,
        compute: Compute,
    ) -> None:
        self._towers = towers.to(compute.device)
        self._team = team
        self._compute = compute
        self._log = log
        self._read = log  # as an epoch reads it
        self._ends = ends
        self._settings = settings
        # An item that training does not know is no wrong answer either.
        self._known = torch.nonzero(inputs.id_row > 0).squeeze(1)
        self._events = int(np.maximum(ends - log.offsets[:-1] - 1, 0).sum())
        self._catalogue = LearningCatalogue(towers.item, inputs, settings)
        self._optimiser = torch.optim.AdamW(
            _groups(towers, settings.weight_decay),
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        self._average = copy.deepcopy(towers).eval()
        self._best_weights = self._average.state_dict()
        self._carried = torch.zeros(0)  # [B,S] of the batch at hand
        self.progress = Progress()
        if not team.leads:  # dropout and samples of one's own
            torch.manual_seed(settings.seed + 1_000_003 * team.rank)

    def run(
        self,
        course: Course,
        quality: Callable[[Towers], float],
        report: Callable[[Progress], None],
        tick: Callable[[float], None] = lambda _: None,
        *,
        judge_first: bool = False,
    ) -> None:
        """Train until the course or the patience ends; leave the best weights in the towers.

        `quality` judges averaged weights, greater is better; `report` is called after each
        judgement, `tick` after each step with the passes over the data so far. `judge_first`: the
        weights to begin with are judged too.
        """
        at, over = self.progress, False
        if judge_first and not at.steps:
            self._judge(course, quality)
            report(at)
        while not over:
            self._epoch(course, tick)
            over = self._over(course)
            since_s = course.spent_s - at.judged_at_s
            due = course.judgement_due(at.epochs, at.judged, since_s, at.judging_s)
            if over or self._team.agreed(due):
                self._judge(course, quality)
                report(at)
                over = over or at.judgements_since_best >= self._settings.patience
        self.take_best()

    def _judge(self, course: Course, quality: Callable[[Towers], float]) -> None:
        at, started = self.progress, time.monotonic()
        value = quality(self._average) if self._team.leads else 0.0
        at.judge(self._team.agreed(value), course.share(at.epochs))
        at.judging_s = time.monotonic() - started
        at.judged_at_s = course.spent_s
        if at.judgements_since_best == 0:
            self._best_weights = copy.deepcopy(self._average.state_dict())

    def take_best(self) -> None:
        """Put the weights that were judged best into the towers."""
        self._towers.load_state_dict(self._best_weights)
        self._towers.eval()

    def state(self) -> dict[str, Any]:
        """All that the steps to come depend on, to go on from after any step.

        The whole team must ask at once.
        """
        return {
            "towers": self._towers.state_dict(),
            "average": self._average.state_dict(),
            "best": self._best_weights,
            "optimiser": self._optimiser.state_dict(),
            "progress": self.progress.state(),
            "own": self._team.gathered(
                {
                    "content": self._catalogue.state(),
                    "carried": self._carried,
                    "random": self._compute.random_state(),
                }
            ),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self._towers.load_state_dict(state["towers"])
        self._average.load_state_dict(state["average"])
        self._best_weights = state["best"]
        self._optimiser.load_state_dict(state["optimiser"])
        own = state["own"][self._team.rank]
        self._catalogue.restore(own["content"])
        self._carried = own["carried"].to(self._compute.device)
        self._compute.restore_random_state(own["random"])
        self.progress.restore(state["progress"])

    def _epoch(self, course: Course, tick: Callable[[float], None]) -> None:
        """One pass over everything, or the rest of it after a restore."""
        at = self.progress
        self._towers.train()
        # The order of an epoch is a function of its number: a restored run finds its place.
        random = np.random.default_rng([self._settings.seed, at.epochs])
        # What has no order must teach none: files are often sorted by id.
        self._read = self._log if self._log.ordered else self._log.shuffled(self._ends, random)
        order = chunks(
            self._log.offsets,
            self._ends,
            self._settings.batch_users,
            self._settings.chunk,
            random,
            rank=self._team.rank,
            size=self._team.size,
        )
        for _ in range(at.chunks):
            next(order)
        since = time.perf_counter()
        for chunk in order:
            loaded = time.perf_counter()
            share = self._team.agreed(course.share(self._passes))
            at.rate = learning_rate(self._settings.learning_rate, share, at.steps)
            for group in self._optimiser.param_groups:
                group["lr"] = at.rate
            if chunk.first:
                self._carried = self._towers.user.initial_state(len(chunk.events))
            at.step(*self._step(chunk, share))
            at.spend(loading_s=loaded - since, stepping_s=time.perf_counter() - loaded)
            tick(self._passes)
            if self._over(course):
                at.cut = at.events < self._events
                break
            since = time.perf_counter()
        at.end_epoch()

    @property
    def _passes(self) -> float:
        return self.progress.epochs + self.progress.events / self._events

    def _over(self, course: Course) -> bool:
        return bool(self._team.agreed(course.over(self.progress.epochs)))

    def _step(self, chunk: Chunk, share: float) -> tuple[float, int]:
        """Returns this process's loss, and how many events the team learned from."""
        own = int(chunk.learn.sum())
        self._optimiser.zero_grad(set_to_none=True)
        # Of a small batch this process may have nobody who goes on.
        loss = self._gradients(chunk, share) if own else 0.0  # waits for the device
        events = self._team.average_gradients(self._towers.parameters(), own)
        torch.nn.utils.clip_grad_norm_(self._towers.parameters(), 5.0)
        self._optimiser.step()
        self._update_average()
        return loss, int(events)

    def _gradients(self, chunk: Chunk, share: float) -> float:
        """Returns the loss."""
        with self._compute.autocast():
            loss, after = self._forward(chunk, share)
        torch.autograd.backward(loss)
        self._carried = after.detach()
        return float(loss.detach())

    def _forward(self, chunk: Chunk, share: float) -> tuple[Tensor, Tensor]:
        """The loss, and people's state after the chunk: [B,S]."""
        device = self._compute.device
        events = torch.from_numpy(chunk.events).to(device)  # [B,L]
        learn = torch.from_numpy(chunk.learn).to(device)
        inputs, targets = self._read.items[events], self._read.items[events + 1]
        sampled = self._negatives(share)
        columns, where = torch.unique(
            torch.cat([inputs.flatten(), targets.flatten(), sampled]), return_inverse=True
        )
        vectors, biases = self._catalogue.vectors(columns)  # [M,D], [M]
        where_in, where_to = where[: inputs.numel()], where[inputs.numel() : 2 * inputs.numel()]
        after, users = self._towers.user.sequence(
            self._carried,
            vectors[where_in].reshape(*inputs.shape, -1),
            self._read.kinds[events],
            self._read.gap_s[events],
            torch.full((len(events),), events.shape[1], device=device),
        )
        users, where_to = users[learn], where_to[learn.flatten()]
        if sampled is self._known:  # and so are the columns
            loss = catalogue_softmax(users, vectors, biases, where_to)
        else:
            loss = self._sampled(users, vectors, biases, where_to, where[2 * inputs.numel() :])
        return loss, after

    def _negatives(self, share: float) -> Tensor:
        """A uniform sample at first and in large catalogues, else all items with events: [M]."""
        whole = len(self._known) <= self._settings.full_softmax_up_to
        if whole and share >= self._settings.sampled_share:
            return self._known
        drawn = torch.randint(len(self._known), (self._settings.negatives,))
        return self._known[drawn.to(self._compute.device)]

    def _sampled(
        self, users: Tensor, vectors: Tensor, biases: Tensor, targets: Tensor, sampled: Tensor
    ) -> Tensor:
        log_expected = biases.new_full((len(sampled),), math.log(len(sampled) / len(self._known)))
        return sampled_softmax(
            users,
            (vectors[targets], biases[targets]),
            (vectors[sampled], biases[sampled]),
            log_expected,
            targets.unsqueeze(1) == sampled,
        )

    @torch.no_grad()
    def _update_average(self) -> None:
        steps = self.progress.steps + 1
        weight = 1 / min(steps, max(_AVERAGE_OVER_STEPS, _AVERAGE_OVER_SHARE * steps))
        average: list[Tensor] = list(self._average.parameters())
        torch._foreach_lerp_(average, list(self._towers.parameters()), weight)


def _groups(towers: Towers, decay: float) -> list[dict[str, object]]:
    """Matrices decay; biases, norms, the gate and the rates of the recurrence stay put."""
    still = {towers.item.biases.weight, *(p for p in towers.parameters() if p.dim() < 2)}
    return [
        {"params": [p for p in towers.parameters() if p not in still], "weight_decay": decay},
        {"params": [p for p in towers.parameters() if p in still], "weight_decay": 0.0},
    ]
