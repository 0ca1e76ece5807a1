"""The user tower: a recurrent network over the vectors of the items that a person touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from headrace.models.blocks import Block, GatedRecurrentBlock, LinearRecurrentBlock

TowerKind = Literal["lru", "gru"]
TOWER_KINDS: tuple[TowerKind, ...] = get_args(TowerKind)

# A gap beyond a year says no more than a year.
MAX_GAP_S = 365 * 86_400.0


class UserTower(nn.Module):
    """Two recurrent blocks over (item vector, kind of event, time since the event before).

    `state_width` S is the sum of the blocks' states. Letters: B batch, L length, D width.
    """

    def __init__(
        self,
        width: int,
        kinds: int,
        tower: TowerKind = "lru",
        blocks: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.width = width
        self.tower = tower
        self.kind = nn.Embedding(kinds, width)
        # No bias: data without times has a gap of 0 everywhere, and must then not learn from it.
        self.gap = nn.Linear(2, width, bias=False)
        nn.init.zeros_(self.kind.weight)
        nn.init.zeros_(self.gap.weight)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        make = LinearRecurrentBlock if tower == "lru" else GatedRecurrentBlock
        self.blocks = nn.ModuleList([make(width, dropout) for _ in range(blocks)])
        self.state_width = sum(block.state_width for block in self._stack())

    def initial_state(self, batch: int) -> Tensor:
        """The state of people who did nothing yet: [B,S]."""
        return self.gap.weight.new_zeros(batch, self.state_width)

    def step(
        self, state: Tensor, item: Tensor, event_type: Tensor, gap_s: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Take one event.

        Shapes: state [B,S], item [B,D], event_type [B] (trained index), gap_s [B] in seconds ->
        state [B,S], vector [B,D].
        """
        x = self._input(item, event_type, gap_s)
        states = []
        for block, before in zip(self._stack(), self._split(state), strict=True):
            after, x = block.step(before, x)
            states.append(after)
        return torch.cat(states, dim=-1), x

    def sequence(
        self,
        state: Tensor,
        items: Tensor,
        event_type: Tensor,
        gap_s: Tensor,
        length: Tensor,
        *,
        for_onnx: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Take many events: the same numbers as stepping, and the vector after each of them.

        Shapes: state [B,S], items [B,L,D], event_type and gap_s [B,L], length [B] -> state after
        `length` events [B,S], vectors [B,L,D].
        """
        x = self._input(items, event_type, gap_s)
        states = []
        for block, before in zip(self._stack(), self._split(state), strict=True):
            after, x = block.sequence(before, x, length, for_onnx=for_onnx)
            states.append(after)
        return torch.cat(states, dim=-1), x

    def _input(self, item: Tensor, event_type: Tensor, gap_s: Tensor) -> Tensor:
        # Both are 0 for a gap of 0 and near 1 for a year; the second tells minutes apart.
        minutes = torch.log1p(torch.clamp(gap_s, 0.0, MAX_GAP_S) / 60.0)
        gap = torch.stack([minutes / 13.0, 1 - torch.exp(-minutes)], dim=-1)
        out: Tensor = self.norm(self.dropout(item + self.kind(event_type) + self.gap(gap)))
        return out

    def _stack(self) -> Iterator[Block]:
        for block in self.blocks:
            assert isinstance(block, Block)
            yield block

    def _split(self, state: Tensor) -> tuple[Tensor, ...]:
        return torch.split(state, [block.state_width for block in self._stack()], dim=-1)
