"""Recurrences over a sequence in the forms that training and ONNX need.

The linear one is h_t = lambda * h_(t-1) + x_t.

On a CPU training runs a plain loop over time on complex tensors, which there is several times
faster than a log-step scan forward and backward. A GPU waits for each of the loop's many small
steps; it gets one product of matrices a state, made of the powers of lambda. ONNX has neither
loops that export well nor complex numbers, so the exported graph doubles its reach log2(L) times
on real and imaginary parts.

All run in float32 whatever the layers around them use: there are no complex numbers in bfloat16,
and a state that is carried on for years of events needs the digits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# The longest sequence that one run of the doubling form covers; the bundle's reader carries the
# state over longer ones.
MAX_DOUBLING_LENGTH = 256


def over_time(x: Tensor, h0: Tensor, decay: tuple[Tensor, Tensor]) -> Tensor:
    """Run the recurrence in the form that suits the device. Shapes: as `loop_over_time`."""
    run = loop_over_time if x.device.type == "cpu" else by_powers
    return run(x, h0, decay)


def loop_over_time(x: Tensor, h0: Tensor, decay: tuple[Tensor, Tensor]) -> Tensor:
    """Run the recurrence step by step.

    Shapes: x [B,L,2H], h0 [B,2H], both real parts then imaginary parts; decay (re [H], im [H]).
    Returns h [B,L,2H].
    """
    with torch.autocast(x.device.type, enabled=False):
        h: Tensor = _LoopOverTime.apply(x.float(), h0.float(), *(part.float() for part in decay))
    return h


class _LoopOverTime(torch.autograd.Function):
    """The loop with its gradient written out: the same loop backwards, one operation a step.

    With G_t the gradient that reaches h_t on all ways: G_t = dh_t + conj(lambda) * G_(t+1),
    dx_t = G_t, and dlambda is the sum of G_t * conj(h_(t-1)). torch's own gradient keeps a node
    a step and takes twice as long (B=32, L=64, H=128 on one core).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, h0: Tensor, real: Tensor, imaginary: Tensor) -> Tensor:
        rate, first = torch.complex(real, imaginary), _complex(h0)
        states = _complex(x.transpose(0, 1))  # [L,B,H]: each step lies together in memory
        before = first
        for state in states.unbind():
            state.addcmul_(before, rate)
            before = state
        ctx.save_for_backward(states, first, rate)
        return _parts(states.transpose(0, 1))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        states, first, rate = ctx.saved_tensors
        back = rate.conj().resolve_conj()
        reaching = _complex(gradients[0].transpose(0, 1))  # [L,B,H]
        steps = reaching.unbind()
        for step, after in zip(steps[-2::-1], steps[:0:-1], strict=True):
            step.addcmul_(after, back)
        to_rate = (reaching[0] * first.conj()).sum(dim=0)
        to_rate += (reaching[1:] * states[:-1].conj()).sum(dim=(0, 1))
        to_first = _parts(back * reaching[0])
        return _parts(reaching.transpose(0, 1)), to_first, to_rate.real, to_rate.imag


def by_powers(x: Tensor, h0: Tensor, decay: tuple[Tensor, Tensor]) -> Tensor:
    """Run the recurrence all at once: h_t = lambda^t * h_0 + sum of lambda^(t-s) * x_s.

    The work grows with L squared, which for the few hundred events of a chunk a GPU does not feel.

    Shapes: as `loop_over_time`, t from 1 to L.
    """
    with torch.autocast(x.device.type, enabled=False):
        real, imaginary = (part.float() for part in decay)
        times = torch.arange(1, x.shape[1] + 1, device=x.device)
        ages = times[:, None] - times  # [L,L]; below 0 is the future
        radius = torch.hypot(real, imaginary)[:, None, None]
        phase = torch.atan2(imaginary, real)[:, None, None]
        powers = torch.polar(radius ** ages.clamp(min=0), phase * ages).tril()  # [H,L,L]
        of_first = powers[:, :, 0] * torch.complex(real, imaginary)[:, None]  # [H,L]
        h = torch.einsum("hts,bsh->bth", powers, _complex(x.float()))
        return _parts(h + of_first.T * _complex(h0.float()).unsqueeze(1))


def doubling(x: Tensor, h0: Tensor, decay: tuple[Tensor, Tensor]) -> Tensor:
    """Run the recurrence in log2(L) vectorised passes (Hillis and Steele, 1986).

    After pass k each position has the sum of its last 2^(k+1) inputs, decayed.

    Shapes: as `loop_over_time`, L at most `MAX_DOUBLING_LENGTH`.
    """
    length = x.shape[1]
    rate_re, rate_im = decay
    first = x[:, :1] + torch.cat(_times(h0.chunk(2, dim=-1), decay), dim=-1).unsqueeze(1)
    h_re, h_im = torch.cat([first, x[:, 1:]], dim=1).chunk(2, dim=-1)
    reach = 1
    while reach < MAX_DOUBLING_LENGTH:
        past = (_delayed(h_re, reach, length), _delayed(h_im, reach, length))
        add_re, add_im = _times(past, (rate_re, rate_im))
        h_re, h_im = h_re + add_re, h_im + add_im
        rate_re, rate_im = _times((rate_re, rate_im), (rate_re, rate_im))
        reach *= 2
    return torch.cat([h_re, h_im], dim=-1)


def onnx_gru(gru: nn.GRU, x: Tensor, h0: Tensor) -> Tensor:
    """Stand for `gru` as one ONNX operator; meaningful only while a graph is exported.

    torch's exporter turns a GRU of dynamic length into a loop that it then refuses.

    Shapes: x [B,L,D], h0 [B,S] -> h [B,L,S].
    """

    def gates(weight: Tensor) -> Tensor:
        reset, update, new = weight.chunk(3)
        return torch.cat([update, reset, new]).unsqueeze(0)  # the order that ONNX defines

    input_weight, state_weight, input_bias, state_bias = gru.all_weights[0]
    bias = torch.cat([gates(input_bias), gates(state_bias)], dim=1)
    batch, length, _ = x.shape
    h: Tensor = torch.onnx.ops.symbolic(
        "GRU",
        (
            x.transpose(0, 1),
            gates(input_weight),
            gates(state_weight),
            bias,
            None,
            h0.unsqueeze(0),
        ),
        {"hidden_size": gru.hidden_size, "linear_before_reset": 1},
        dtype=x.dtype,
        shape=(length, 1, batch, gru.hidden_size),
        version=20,
    )
    return h.squeeze(1).transpose(0, 1)


def _complex(x: Tensor) -> Tensor:
    """A new tensor. Shapes: [...,2H], real parts then imaginary parts -> [...,H]."""
    real, imaginary = x.chunk(2, dim=-1)
    return torch.complex(real.contiguous(), imaginary.contiguous())


def _parts(h: Tensor) -> Tensor:
    """Shapes: [...,H] -> [...,2H], real parts then imaginary parts."""
    return torch.cat([h.real, h.imag], dim=-1)


def _delayed(h: Tensor, steps: int, length: int) -> Tensor:
    return nn.functional.pad(h, (0, 0, steps, 0))[:, :length]


def _times(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]
