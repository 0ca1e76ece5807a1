"""Fitting the ranking head on lists that the towers did not learn from."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headrace.evaluation.metrics import ndcg
from headrace.models.losses import listwise
from headrace.models.ncf import NcfHead
from headrace.training.budget import Budget
from headrace.training.calibration import platt
from headrace.training.lists import Lists

_BATCH = 32
_LEARNING_RATE = 1e-3
# From epoch to epoch. At a steady rate the fourth epoch is the best on ML-1M, and the eighth is
# worse than none.
_FADING = 0.75
_WEIGHT_DECAY = 0.05
_PATIENCE = 4


@dataclass(frozen=True)
class HeadResult:
    """NDCG@10 on validation of the head and of retrieval order; which of them is released."""

    head: float
    retrieval: float
    epochs: int

    @property
    def improves(self) -> bool:
        return self.head > self.retrieval


def fit_head(
    head: NcfHead,
    training: Sequence[Lists],
    validation: Lists,
    *,
    budget: Budget,
    seed: int,
    max_epochs: int | None,
    device: torch.device,
    warm: bool = False,
) -> HeadResult:
    """Train until validation stops improving, keep the best weights, then calibrate.

    A head that does not improve on retrieval order is left as retrieval order. So is one for which
    histories are too short to keep anything back. `warm`: it comes with weights that were learned.
    It is fitted on `device`, and left on the CPU.
    """
    retrieval = ndcg(retrieval_ranks(validation), 10)
    if not any(map(len, training)):
        head.rank_as_retrieved()
        return HeadResult(retrieval, retrieval, 0)
    head.to(device)
    random = np.random.default_rng(seed)
    if not warm:  # weights mean something only with the features scaled as they were
        _normalise(head, training)
    optimiser = torch.optim.AdamW(
        head.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY, fused=True
    )
    best, weights = ndcg(list_ranks(head, validation), 10), copy.deepcopy(head.state_dict())
    best_epoch = epoch = 0
    most = math.inf if max_epochs is None else max_epochs
    while epoch < most and epoch - best_epoch < _PATIENCE and budget.left > 0:
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * _FADING**epoch
        _epoch(head, training, optimiser, random, budget)
        epoch += 1
        quality = ndcg(list_ranks(head, validation), 10)
        if quality > best:
            best, weights, best_epoch = quality, copy.deepcopy(head.state_dict()), epoch
    head.load_state_dict(weights)
    if best <= retrieval:
        head.rank_as_retrieved()
    head.cpu().eval()
    _calibrate(head, training)
    return HeadResult(best, retrieval, epoch)


@torch.no_grad()
def list_ranks(head: NcfHead, lists: Lists) -> NDArray[np.int64]:
    """The rank of each target in the head's order; beyond the list where retrieval missed it.

    Ties count against the head. Shapes: [Q].
    """
    head.eval()
    return _ranks(lists, lambda rows: _logits(head, lists, rows).cpu())


def retrieval_ranks(lists: Lists) -> NDArray[np.int64]:
    """The same in the order of retrieval. Shapes: [Q]."""
    return _ranks(lists, lambda rows: lists.features[rows][..., 0])


def _logits(head: NcfHead, lists: Lists, rows: NDArray[np.int64]) -> Tensor:
    """On the head's device. Shapes: rows [B] -> [B,K]."""
    return head.logits(*lists.inputs(rows).on(head.alpha.device))


def _ranks(lists: Lists, logits_of: Callable[[NDArray[np.int64]], Tensor]) -> NDArray[np.int64]:
    ranks = np.full(len(lists), np.iinfo(np.int64).max // 2)
    for rows in lists.batches():
        logits = logits_of(rows)
        target = lists.target[rows]
        own = logits.gather(1, target.clamp(min=0).unsqueeze(1))
        found = (target >= 0).numpy()
        ranks[rows[found]] = (logits >= own).sum(dim=1).numpy()[found]
    return ranks


def _epoch(
    head: NcfHead,
    training: Sequence[Lists],
    optimiser: torch.optim.Optimizer,
    random: np.random.Generator,
    budget: Budget,
) -> None:
    head.train()
    batches = [(lists, rows) for lists in training for rows in _batches(lists, random)]
    for number in random.permutation(len(batches)):
        lists, rows = batches[number]
        logits = _logits(head, lists, rows)
        loss = listwise(logits, lists.target[rows].to(logits.device))
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        if budget.left <= 0:
            return


def _batches(lists: Lists, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """Those in which there is something to learn, in random order."""
    order = random.permutation(np.flatnonzero((lists.target >= 0).numpy()))
    return [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]


@torch.no_grad()
def _normalise(head: NcfHead, training: Sequence[Lists]) -> None:
    """Features to mean 0 and deviation 1."""
    features = torch.cat([lists.features.flatten(0, 1) for lists in training])
    head.feature_mean.copy_(features.mean(dim=0))
    head.feature_scale.copy_(features.std(dim=0).clamp(min=1e-3))


@torch.no_grad()
def _calibrate(head: NcfHead, training: Sequence[Lists]) -> None:
    """Preference becomes the chance that the candidate is the one taken next."""
    made = [
        (_logits(head, lists, rows), lists.target[rows])
        for lists in training
        for rows in lists.batches()
    ]
    logits = torch.cat([some for some, _ in made])
    labels = torch.cat([target for _, target in made]).unsqueeze(1) == torch.arange(logits.shape[1])
    head.calibration.copy_(torch.tensor(platt(logits.flatten().numpy(), labels.flatten().numpy())))
