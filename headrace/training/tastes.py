"""Fitting what a person's ratings tell of the next one, on vectors that the towers have made."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headrace.evaluation.rated import rated_events
from headrace.evaluation.ratings import errors
from headrace.models.rating import RatingOutput, Taste
from headrace.training.budget import Budget
from headrace.training.lists import CatalogueFacts
from headrace.training.log import EventLog
from headrace.training.ratings import mean_rating
from headrace.training.split import Part, Split

_BATCH = 256  # people
_LEARNING_RATE = 2e-3
_WEIGHT_DECAY = 0.3
# Of an item's vector so much is hidden at a time, or few ratings are learned by heart.
_DROPOUT = 0.1
_STEPS = 25  # between two judgements, or an epoch where that is longer
_PATIENCE = 6
_MOST_STEPS = 1_000
# Without ratings in validation nothing says when to end.
_BLIND_STEPS = 150
# Bounds the memory of summing up histories.
_EVENTS = 200_000


@dataclass(frozen=True)
class RatedPart:
    """Rated events of a part, and their people's training history alone to tell them from."""

    part: Part
    ratings: NDArray[np.float32]

    @classmethod
    def of(cls, log: EventLog, split: Split, part: Part, most_people: int) -> RatedPart:
        rated = rated_events(log, split, part)
        people = np.random.default_rng(0).permutation(np.unique(rated.users))[:most_people]
        chosen = np.isin(rated.users, people)
        kept = Part(rated.users[chosen], rated.positions[chosen])
        return cls(kept, log.ratings[kept.positions])


class TasteFit:
    """Fits `taste` and `output` together. `train_ends` [U] is where training ends in each history.

    Of each person's events a random half or more is the history, the ratings in the rest are to
    be told from it: as new to the sums as what comes later.
    """

    def __init__(
        self,
        taste: Taste,
        output: RatingOutput,
        log: EventLog,
        split: Split,
        *,
        facts: CatalogueFacts,
        seed: int,
    ) -> None:
        self._taste, self._output = taste, output
        self._log, self._split = log, split
        self._facts = facts
        self._about = item_facts(facts)
        self._random = np.random.default_rng(seed)
        self._optimiser = torch.optim.AdamW(
            [*taste.parameters(), *output.parameters()],
            lr=_LEARNING_RATE,
            weight_decay=_WEIGHT_DECAY,
        )
        learned = split.training_events(log)
        with torch.no_grad():
            for part in (taste, output):
                part.scale.copy_(facts.vectors.std().clamp(min=1e-6))
            taste.expected.bias.fill_(mean_rating(log, learned))
            output.item.bias.fill_(mean_rating(log, learned))
        lengths = split.train_ends - log.offsets[:-1]
        self._people = np.flatnonzero(lengths >= 2)

    def run(self, judged: RatedPart, budget: Budget) -> int:
        """Returns how many steps were taken; the weights best on `judged` are left."""
        blind = not len(judged.ratings)
        most = _BLIND_STEPS if blind else _MOST_STEPS
        best, weights, since, steps = np.inf, self._weights(), 0, 0
        if not blind:
            best = self.rmse(judged)
        while steps < most and since < _PATIENCE and budget.left > 0:
            taken = self._some_steps(min(most - steps, max(_STEPS, len(self._people) // _BATCH)))
            if not taken:
                break
            steps += taken
            if blind:
                continue
            since += 1
            rmse = self.rmse(judged)
            if rmse < best:
                best, weights, since = rmse, self._weights(), 0
        if not blind:
            self._taste.load_state_dict(weights[0])
            self._output.load_state_dict(weights[1])
        return steps

    @torch.no_grad()
    def rmse(self, judged: RatedPart) -> float:
        """Of ratings told from training history alone."""
        part = judged.part
        people, row = np.unique(part.users, return_inverse=True)
        ends = self._split.train_ends[people]
        tastes = people_tastes(self._taste, self._log, self._facts.vectors, people, ends)
        items = self._log.items[part.positions]
        told = self._output(
            tastes[row], self._facts.vectors[items].unsqueeze(1), self._about[items].unsqueeze(1)
        )
        return errors(told[:, 0].numpy(), judged.ratings).rmse

    def _weights(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        return (
            copy.deepcopy(self._taste.state_dict()),
            copy.deepcopy(self._output.state_dict()),
        )

    def _some_steps(self, most: int) -> int:
        order = self._random.permutation(self._people)
        taken = 0
        while taken < most and len(order):
            for start in range(0, len(order), _BATCH):
                self._step(order[start : start + _BATCH])
                taken += 1
                if taken == most:
                    break
        return taken

    def _step(self, people: NDArray[np.int64]) -> None:
        events, owners = _events(self._log.offsets[people], self._split.train_ends[people])
        kept = self._random.uniform(0.5, 1.0, len(people))
        history = self._random.random(len(events)) < kept[owners]
        asked = ~history & ~np.isnan(self._log.ratings[events])
        if not asked.any():
            return
        items = self._log.items[events]
        vectors = torch.nn.functional.dropout(self._facts.vectors[items], _DROPOUT)
        ratings = torch.from_numpy(np.nan_to_num(self._log.ratings[events]))
        state = torch.zeros(len(people), self._taste.state_width)
        state = state.index_add(
            0,
            torch.from_numpy(owners[history]),
            self._taste.addends(vectors[history], ratings[history]),
        )
        taste = self._taste(state)[owners[asked]]
        base, factors = self._output.parts(vectors[asked], self._about[items[asked]])
        told = base + taste[:, 0] + (factors * taste[:, 1:]).sum(dim=1)
        loss = torch.nn.functional.mse_loss(told, ratings[asked])
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self._optimiser.step()


@torch.no_grad()
def people_tastes(
    taste: Taste,
    log: EventLog,
    vectors: Tensor,
    users: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> Tensor:
    """People's tastes just before the event at a position.

    Shapes: vectors [N,D], users and positions [Q] -> [Q,T].
    """
    starts = log.offsets[users]
    out = torch.zeros(len(users), taste.width)
    for rows in _groups(positions - starts):
        events, owners = _events(starts[rows], positions[rows])
        ratings = torch.from_numpy(np.nan_to_num(log.ratings[events]))
        state = torch.zeros(len(starts[rows]), taste.state_width)
        state.index_add_(
            0, torch.from_numpy(owners), taste.addends(vectors[log.items[events]], ratings)
        )
        out[rows] = taste(state)
    return out


def item_facts(facts: CatalogueFacts) -> Tensor:
    """What the rating output is told about items beside their vectors: [N,2]."""
    offsets = facts.known.table.rating_offsets[facts.rows]
    return torch.from_numpy(np.stack([offsets, facts.popularity], axis=1))


def _events(
    starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions in the log from each start to its end, and which of them each belongs to."""
    lengths = ends - starts
    owners = np.repeat(np.arange(len(starts)), lengths)
    first = np.cumsum(lengths) - lengths
    return starts[owners] + np.arange(len(owners)) - first[owners], owners


def _groups(lengths: NDArray[np.int64]) -> Iterator[slice]:
    """Consecutive questions whose histories have few enough events together."""
    start, total = 0, 0
    for row, length in enumerate(lengths.tolist()):
        if row > start and total + length > _EVENTS:
            yield slice(start, row)
            start, total = row, 0
        total += length
    if start < len(lengths):
        yield slice(start, len(lengths))
