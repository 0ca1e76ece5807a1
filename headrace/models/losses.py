"""Losses of the towers and the head."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# Logits of so many positions at once: the part of a catalogue of some thousand items stays in
# the processor's cache. Measured on ML-1M, one core: 46 ms a step of 2,048 positions, 73 at once.
_POSITIONS = 128


def catalogue_softmax(users: Tensor, vectors: Tensor, biases: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of the next item over all items.

    In float32, and on a CPU in blocks; other devices have room for all logits at once.

    Shapes: users [P,D], vectors [N,D], biases [N], targets [P] -> scalar.
    """
    with torch.autocast(users.device.type, enabled=False):
        given = (users.float(), vectors.float(), biases.float())
        if users.device.type != "cpu":
            return whole_softmax(*given, targets)
        loss: Tensor = _CatalogueSoftmax.apply(*given, targets)
    return loss


def whole_softmax(users: Tensor, vectors: Tensor, biases: Tensor, targets: Tensor) -> Tensor:
    """The same in one piece, with torch's own gradient. Shapes: as `catalogue_softmax`."""
    logits = torch.addmm(biases, users, vectors.T)  # [P,N]
    return nn.functional.cross_entropy(logits, targets)


class _CatalogueSoftmax(torch.autograd.Function):
    """The loss and its gradients in one pass over blocks of positions; logits are never kept."""

    @staticmethod
    def forward(
        ctx: Any, users: Tensor, vectors: Tensor, biases: Tensor, targets: Tensor
    ) -> Tensor:
        total = users.new_zeros(())
        to_users, to_vectors = torch.empty_like(users), torch.zeros_like(vectors)
        to_biases = torch.zeros_like(biases)
        for start in range(0, len(users), _POSITIONS):
            part = slice(start, start + _POSITIONS)
            own = targets[part].unsqueeze(1)
            logits = torch.addmm(biases, users[part], vectors.T)  # [p,N]
            logits -= torch.logsumexp(logits, dim=1, keepdim=True)
            total -= logits.gather(1, own).sum()
            wrong = logits.exp_()  # the gradient: softmax less the one right item
            wrong.scatter_add_(1, own, wrong.new_full((len(wrong), 1), -1.0))
            torch.mm(wrong, vectors, out=to_users[part])
            to_vectors.addmm_(wrong.T, users[part])
            to_biases += wrong.sum(dim=0)
        ctx.save_for_backward(to_users, to_vectors, to_biases)
        return total / max(len(users), 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        to_users, to_vectors, to_biases = ctx.saved_tensors
        share = gradients[0] / max(len(to_users), 1)
        return to_users * share, to_vectors * share, to_biases * share, None


def sampled_softmax(
    users: Tensor,
    own: tuple[Tensor, Tensor],
    sampled: tuple[Tensor, Tensor],
    log_expected: Tensor,
    collides: Tensor,
) -> Tensor:
    """Cross-entropy over the target and shared negatives, each negative's logit less log Q.

    Q is the expected count of the item in the sample (Bengio and Senécal 2008). A negative that
    is the target itself is left out. In float32.

    Shapes: users [P,D]; own: vectors [P,D], biases [P] of the targets; sampled: vectors [M,D],
    biases [M]; log_expected [M]; collides [P,M] -> scalar.
    """
    with torch.autocast(users.device.type, enabled=False):
        users, vectors, of_sample = users.float(), own[0].float(), sampled[0].float()
        positive = (users * vectors).sum(dim=1, keepdim=True) + own[1].unsqueeze(1)  # [P,1]
        negative = torch.addmm(sampled[1] - log_expected, users, of_sample.T)  # [P,M]
        negative = negative.masked_fill(collides, -torch.inf)
        logits = torch.cat([positive, negative], dim=1)
        return nn.functional.cross_entropy(logits, logits.new_zeros(len(users), dtype=torch.long))


def listwise(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of the one right candidate in each list.

    Shapes: logits [B,K], targets [B] (column) -> scalar.
    """
    return nn.functional.cross_entropy(logits, targets)
