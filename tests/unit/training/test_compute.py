"""Where the towers are fitted, and with how many digits."""

import dataclasses
from pathlib import Path

import pytest
import torch

from headrace.errors import FailedPrecondition
from headrace.models.recurrence import loop_over_time
from headrace.models.user_rnn import TOWER_KINDS, TowerKind
from headrace.training.budget import Budget
from headrace.training.compute import Compute
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from tests.unit.training.test_resume import SETTINGS, fresh_model

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@without_gpu
def test_without_a_gpu_auto_is_the_processor_with_all_digits() -> None:
    assert Compute.chosen("auto", "auto") == Compute(torch.device("cpu"), bfloat16=False)
    assert Compute.chosen("auto", "bfloat16").bfloat16


@without_gpu
def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(FailedPrecondition, match="--device cpu"):
        Compute.chosen("cuda", "auto")


@pytest.mark.parametrize("tower", TOWER_KINDS)
def test_half_the_digits_reach_nearly_the_same_quality(tmp_path: Path, tower: TowerKind) -> None:
    settings = dataclasses.replace(
        SETTINGS, tower=tower, width=16, max_epochs=30, learning_rate=1e-2, patience=9
    )
    best = {}
    for bfloat16 in (False, True):
        model = fresh_model(tmp_path, settings)
        stage = TowerStage(
            model,
            model.split.train_ends,
            Budget(600),
            None,
            Team(),
            compute=Compute(bfloat16=bfloat16),
        )
        best[bfloat16] = stage.run(None, lambda _: None, lambda _: None, lambda: 0.0).best
        assert {weight.dtype for weight in model.towers.parameters()} == {torch.float32}
    assert best[False] > 0.6
    assert best[True] > 0.9 * best[False]


def test_the_loop_over_time_keeps_its_digits() -> None:
    x, h0 = torch.randn(2, 5, 8), torch.zeros(2, 8)
    decay = (torch.full((4,), 0.9), torch.full((4,), 0.1))
    with torch.autocast("cpu", torch.bfloat16):
        h = loop_over_time(x.bfloat16(), h0, decay)
    assert h.dtype == torch.float32
    torch.testing.assert_close(h, loop_over_time(x.bfloat16().float(), h0, decay))
