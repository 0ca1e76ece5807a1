"""Losses of the towers and the head."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def catalogue_softmax(users: Tensor, vectors: Tensor, biases: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of the next item over all items.

    Shapes: users [P,D], vectors [N,D], biases [N], targets [P] -> scalar.
    """
    return nn.functional.cross_entropy(torch.addmm(biases, users, vectors.T), targets)


def sampled_softmax(
    users: Tensor,
    own: tuple[Tensor, Tensor],
    sampled: tuple[Tensor, Tensor],
    log_expected: Tensor,
    collides: Tensor,
) -> Tensor:
    """Cross-entropy over the target and shared negatives, each negative's logit less log Q.

    Q is the expected count of the item in the sample (Bengio and Senécal 2008). A negative that
    is the target itself is left out.

    Shapes: users [P,D]; own: vectors [P,D], biases [P] of the targets; sampled: vectors [M,D],
    biases [M]; log_expected [M]; collides [P,M] -> scalar.
    """
    positive = (users * own[0]).sum(dim=1, keepdim=True) + own[1].unsqueeze(1)  # [P,1]
    negative = torch.addmm(sampled[1] - log_expected, users, sampled[0].T)  # [P,M]
    negative = negative.masked_fill(collides, -torch.inf)
    logits = torch.cat([positive, negative], dim=1)
    return nn.functional.cross_entropy(logits, logits.new_zeros(len(users), dtype=torch.long))


def listwise(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of the one right candidate in each list.

    Shapes: logits [B,K], targets [B] (column) -> scalar.
    """
    return nn.functional.cross_entropy(logits, targets)
