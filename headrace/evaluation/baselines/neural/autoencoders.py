"""Autoencoders of what a person had: AutoRec (Sedhain 2015) and Mult-VAE (Liang et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from headrace.evaluation.baselines.base import People, Scores, Training, validation_ndcg
from headrace.evaluation.baselines.neural.learning import Effort, batches, learn

_BATCH = 64
_DROPOUT = 0.5
# Steps until the divergence has its weight.
_WARM_UP = 1_000


@dataclass(eq=False)
class AutoRec:
    """One hidden layer that gives back all of a person's row; with events instead of ratings,
    what a person did not have is a 0 and counts as well."""

    effort: Effort
    hidden: int = 256

    def fit(self, train: Training) -> None:
        torch.manual_seed(self.effort.seed)
        self._items = train.items
        self._network = nn.Sequential(
            nn.Dropout(_DROPOUT),
            nn.Linear(train.items, self.hidden),
            nn.Sigmoid(),
            nn.Linear(self.hidden, train.items),
        ).to(self.effort.device)

        def losses(random: np.random.Generator) -> Iterator[Tensor]:
            for rows in batches(len(train.histories), _BATCH, random):
                had = self.effort.tensor(train.matrix[rows].toarray())
                yield (self._network(had) - had).square().sum(dim=1).mean()

        learn(self._network, losses, lambda: validation_ndcg(self, train), self.effort, 1e-3)

    @torch.no_grad()
    def score(self, people: People) -> Scores:
        return _scores(self._network, people, self._items, self.effort)


@dataclass(eq=False)
class MultVae:
    """A variational autoencoder with a multinomial likelihood."""

    effort: Effort
    hidden: int = 256
    latent: int = 64
    divergence: float = 0.2  # its weight; the paper's best

    def fit(self, train: Training) -> None:
        torch.manual_seed(self.effort.seed)
        self._items = train.items
        network = _Variational(train.items, self.hidden, self.latent)
        self._network = network.to(self.effort.device)
        step = 0

        def losses(random: np.random.Generator) -> Iterator[Tensor]:
            nonlocal step
            for rows in batches(len(train.histories), _BATCH, random):
                had = self.effort.tensor(train.matrix[rows].toarray())
                mean, log_variance = self._network.encoded(had)
                sample = mean + torch.randn_like(mean) * torch.exp(log_variance / 2)
                logits = self._network.decode(sample)
                likelihood = (nn.functional.log_softmax(logits, dim=1) * had).sum(dim=1).mean()
                apart = 1 + log_variance - mean.square() - log_variance.exp()
                divergence = -0.5 * apart.sum(dim=1).mean()
                yield self.divergence * min(1, step / _WARM_UP) * divergence - likelihood
                step += 1

        learn(self._network, losses, lambda: validation_ndcg(self, train), self.effort, 1e-3)

    @torch.no_grad()
    def score(self, people: People) -> Scores:
        return _scores(self._network, people, self._items, self.effort)


class _Variational(nn.Module):
    def __init__(self, items: int, hidden: int, latent: int) -> None:
        super().__init__()
        self._encode = nn.Sequential(
            nn.Dropout(_DROPOUT),
            nn.Linear(items, hidden),
            nn.Tanh(),
            nn.Linear(hidden, 2 * latent),
        )
        self.decode = nn.Sequential(nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, items))

    def encoded(self, had: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: had [B,N] -> mean and log variance, [B,Z] each."""
        mean, log_variance = self._encode(nn.functional.normalize(had)).chunk(2, dim=1)
        return mean, log_variance

    def forward(self, had: Tensor) -> Tensor:
        logits: Tensor = self.decode(self.encoded(had)[0])
        return logits


def _scores(network: nn.Module, people: People, items: int, effort: Effort) -> Scores:
    network.eval()
    scores = network(effort.tensor(people.matrix(items).toarray()))
    return np.asarray(scores.cpu().numpy(), dtype=np.float32)
