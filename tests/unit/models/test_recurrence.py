from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from headrace.models.recurrence import MAX_DOUBLING_LENGTH, by_powers, doubling, loop_over_time

Recurrence = Callable[[Tensor, Tensor, tuple[Tensor, Tensor]], Tensor]


@pytest.mark.parametrize("length", [1, 2, 7, MAX_DOUBLING_LENGTH])
@pytest.mark.parametrize("recurrence", [doubling, by_powers])
def test_every_form_gives_what_the_loop_over_time_gives(
    recurrence: Recurrence, length: int
) -> None:
    torch.manual_seed(length)
    x, h0 = torch.randn(3, length, 8), torch.randn(3, 8)
    radius, phase = torch.rand(4) * 0.19 + 0.8, torch.rand(4) * 6
    decay = (radius * torch.cos(phase), radius * torch.sin(phase))
    torch.testing.assert_close(
        recurrence(x, h0, decay), loop_over_time(x, h0, decay), atol=1e-4, rtol=0
    )


def test_a_real_decay_of_a_half_sums_inputs_by_halves() -> None:
    x = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]])
    decay = (torch.tensor([0.5]), torch.tensor([0.0]))
    h = loop_over_time(x, torch.tensor([[8.0, 0.0]]), decay)
    assert h[0, :, 0].tolist() == [5.0, 3.5, 2.75]


@pytest.mark.parametrize("length", [1, 9])
@pytest.mark.parametrize("form", [loop_over_time, by_powers])
def test_every_form_has_the_gradients_that_torch_finds_for_doubling(
    form: Recurrence, length: int
) -> None:
    torch.manual_seed(0)
    inputs = [torch.randn(3, length, 8), torch.randn(3, 8), torch.rand(4) / 2, torch.rand(4) / 2]
    ours, doubled = ([x.clone().requires_grad_() for x in inputs] for _ in range(2))
    weights = torch.randn(3, length, 8)
    for recurrence, (x, h0, *decay) in ((form, ours), (doubling, doubled)):
        h = recurrence(x, h0, (decay[0], decay[1]))
        torch.autograd.backward((h * weights).sum())
    for gradient, wanted in zip(ours, doubled, strict=True):
        torch.testing.assert_close(gradient.grad, wanted.grad)
