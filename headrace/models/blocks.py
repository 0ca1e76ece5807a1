"""Recurrent blocks: one keeps a person's state over time, a feed-forward layer follows.

Each block can be stepped with one input in O(1) and run over a sequence, with the same
parameters and the same result. Letters: B batch, L length, D width, S size of a block's state.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from headrace.models.recurrence import doubling, onnx_gru, over_time


class FeedForward(nn.Module):
    """Position-wise network with residual and layer norm. Shapes: [..., D] -> [..., D]."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        hidden = nn.functional.gelu(self.expand(x))
        out: Tensor = self.norm(x + self.dropout(self.contract(hidden)))
        return out


class Block(nn.Module):
    """What the user tower stacks. `state_width` is S."""

    state_width: int

    def step(self, state: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: state [B,S], x [B,D] -> state [B,S], out [B,D]."""
        raise NotImplementedError

    def sequence(
        self, state: Tensor, x: Tensor, length: Tensor, *, for_onnx: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Run over many inputs; `for_onnx` takes the form that ONNX can express.

        Shapes: state [B,S], x [B,L,D], length [B] -> state after `length` [B,S], out [B,L,D].
        """
        raise NotImplementedError


class LinearRecurrentBlock(Block):
    """Linear recurrent unit with a complex diagonal state of 2D (S = 4D).

    h_t = lambda * h_(t-1) + gamma * (B x_t), out = Re(C h_t). Orvieto et al. 2023, equations 3
    and 7; stacked as in LRURec, Yue et al., WSDM 2024.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        hidden = 2 * width
        self.state_width = 2 * hidden
        # Uniform on the ring between radius 0.8 and 0.99, LRURec's choice.
        radius = torch.sqrt(torch.rand(hidden) * (0.99**2 - 0.8**2) + 0.8**2)
        self.decay_log = nn.Parameter(torch.log(-torch.log(radius)))
        self.phase_log = nn.Parameter(torch.log(torch.rand(hidden) * 2 * math.pi + 1e-4))
        self.gain_log = nn.Parameter(torch.log(torch.sqrt(1 - radius**2)))
        self.read = nn.Linear(width, 2 * hidden)
        self.write = nn.Linear(2 * hidden, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout)

    def decay(self) -> tuple[Tensor, Tensor]:
        """The complex lambda as (real [2D], imaginary [2D])."""
        radius, phase = torch.exp(-torch.exp(self.decay_log)), torch.exp(self.phase_log)
        return radius * torch.cos(phase), radius * torch.sin(phase)

    def step(self, state: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        (rate_re, rate_im), (h_re, h_im) = self.decay(), state.chunk(2, dim=-1)
        carried = torch.cat([rate_re * h_re - rate_im * h_im, rate_re * h_im + rate_im * h_re], -1)
        h = carried + self._input(x)
        return h, self._output(h, x)

    def sequence(
        self, state: Tensor, x: Tensor, length: Tensor, *, for_onnx: bool = False
    ) -> tuple[Tensor, Tensor]:
        recurrence = doubling if for_onnx else over_time
        h = recurrence(self._input(x), state, self.decay())  # [B,L,S]
        return state_after(h, length, state), self._output(h, x)

    def _input(self, x: Tensor) -> Tensor:
        gain = torch.exp(self.gain_log)
        read: Tensor = self.read(x)
        return read * torch.cat([gain, gain])

    def _output(self, h: Tensor, x: Tensor) -> Tensor:
        out: Tensor = self.feed_forward(self.norm(x + self.dropout(self.write(h))))
        return out


class GatedRecurrentBlock(Block):
    """Gated recurrent unit (Cho et al. 2014) with the same residual and feed-forward, S = D."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.state_width = width
        self.gru = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout)

    def step(self, state: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        input_weight, state_weight, input_bias, state_bias = self.gru.all_weights[0]
        given = nn.functional.linear(x, input_weight, input_bias).chunk(3, -1)
        kept = nn.functional.linear(state, state_weight, state_bias).chunk(3, -1)
        reset = torch.sigmoid(given[0] + kept[0])
        update = torch.sigmoid(given[1] + kept[1])
        new = torch.tanh(given[2] + reset * kept[2])
        h = (1 - update) * new + update * state
        return h, self._output(h, x)

    def sequence(
        self, state: Tensor, x: Tensor, length: Tensor, *, for_onnx: bool = False
    ) -> tuple[Tensor, Tensor]:
        if for_onnx:
            h = onnx_gru(self.gru, x, state)
        else:
            self.gru.flatten_parameters()  # a GPU wants them in one piece
            h = self.gru(x, state.unsqueeze(0).contiguous())[0]
        return state_after(h, length, state), self._output(h, x)

    def _output(self, h: Tensor, x: Tensor) -> Tensor:
        out: Tensor = self.feed_forward(self.norm(x + self.dropout(h)))
        return out


def state_after(h: Tensor, length: Tensor, before: Tensor) -> Tensor:
    """The state after `length` inputs; `before` where there were none.

    Shapes: h [B,L,S], length [B], before [B,S] -> [B,S].
    """
    last = torch.clamp(length - 1, min=0).reshape(-1, 1, 1).expand(-1, 1, h.shape[2])
    return torch.where(length.reshape(-1, 1) > 0, torch.gather(h, 1, last).squeeze(1), before)
