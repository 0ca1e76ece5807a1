"""Several processes that fit the same weights, started by `torchrun`; or one alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import torch
from torch import Tensor, distributed

from headrace.training.compute import Compute


class Team:
    """Every process has all weights and a part of each batch; gradients are averaged.

    The batch of the whole team is that of one process, so the steps are the same ones. Process 0
    leads: it judges, saves and says what follows from the time.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank = rank
        self.size = size

    @classmethod
    def joined(cls, compute: Compute) -> Team:
        """The team that `torchrun` describes in the environment."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        on_gpu = compute.device.type == "cuda"
        distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
        return cls(distributed.get_rank(), size)

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def leave(self) -> None:
        if self.size > 1:
            distributed.destroy_process_group()

    @staticmethod
    def go_home() -> NoReturn:
        """Ends a process that only helped.

        gloo's threads may still hold tensors of the last exchange, and abort an interpreter that
        ends in the ordinary way (pytorch/pytorch#179291); torchrun then ends the leader as well.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def agreed(self, value: float) -> float:
        """What process 0 gives, for all."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64)
        distributed.broadcast(shared, src=0)
        return float(shared)

    def gathered(self, own: Any) -> list[Any]:
        """What each process gives, in order of rank."""
        if self.size == 1:
            return [own]
        all_of_them: list[Any] = [None] * self.size
        distributed.all_gather_object(all_of_them, own)
        return all_of_them

    def average_gradients(self, parameters: Iterable[Tensor], weight: float) -> float:
        """Replace gradients by their mean over the team, weighted; returns the sum of weights.

        `weight` is how many positions this process's gradients are a mean of.
        """
        if self.size == 1:
            return weight
        of = list(parameters)
        parts = [p.new_zeros(p.numel()) if p.grad is None else p.grad.flatten() for p in of]
        flat = torch.cat([*parts, of[0].new_ones(1)]) * weight  # one message for all of them
        distributed.all_reduce(flat)
        total = float(flat[-1])
        flat /= max(total, 1.0)
        start = 0
        for parameter in of:
            stop = start + parameter.numel()
            parameter.grad = flat[start:stop].view_as(parameter).clone()
            start = stop
        return total
