"""What training does on a GPU, where torch sees one: as on the processor, digits apart."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from headrace.bundle import Bundle
from headrace.evaluation.baselines.base import validation_ndcg
from headrace.evaluation.baselines.registry import NEURAL
from headrace.models.recurrence import loop_over_time, over_time
from headrace.models.user_rnn import TOWER_KINDS, TowerKind
from headrace.training.budget import Budget
from headrace.training.checkpoint import Checkpoints
from headrace.training.compute import Compute, Precision
from headrace.training.job import Job
from headrace.training.run import Stages
from headrace.training.settings import TrainingSettings
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from tests.contract.evaluation.test_baselines import EFFORT, EFFORTS, TRAIN
from tests.unit.training.logs import write_rounds
from tests.unit.training.test_resume import SETTINGS, Killed, fresh_model, killed_at

if not torch.cuda.is_available():
    pytest.skip("torch sees no GPU", allow_module_level=True)


@pytest.mark.parametrize("length", [1, 64, 128])
def test_the_recurrence_is_that_of_the_processor(length: int) -> None:
    torch.manual_seed(length)
    radius, phase = torch.rand(128) * 0.19 + 0.8, torch.rand(128) * 6
    given = [
        torch.randn(32, length, 256),
        torch.randn(32, 256),
        radius * torch.cos(phase),
        radius * torch.sin(phase),
    ]
    weights = torch.randn(32, length, 256)
    found = {}
    for device, run in (("cpu", loop_over_time), ("cuda", over_time)):
        x, h0, real, imaginary = (part.clone().to(device).requires_grad_() for part in given)
        h = run(x, h0, (real, imaginary))
        torch.autograd.backward((h * weights.to(device)).sum())
        gradients = (part.grad for part in (x, h0, real, imaginary))
        found[device] = [part.cpu() for part in (h.detach(), *gradients) if part is not None]
    for ours, wanted in zip(found["cuda"], found["cpu"], strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-3, atol=1e-3 * wanted.abs().max().item())


@pytest.mark.parametrize("tower", TOWER_KINDS)
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_towers_learn_there(tmp_path: Path, tower: TowerKind, precision: Precision) -> None:
    settings = dataclasses.replace(
        SETTINGS, tower=tower, width=16, max_epochs=30, learning_rate=1e-2, patience=9
    )
    model = fresh_model(tmp_path, settings)
    stage = TowerStage(
        model,
        model.split.train_ends,
        Budget(600),
        None,
        Team(),
        compute=Compute.chosen("cuda", precision),
    )
    progress = stage.run(None, lambda _: None, lambda _: None, lambda: 0.0)
    assert progress.best > 0.6
    assert stage.point().gpu_peak_gb > 0
    assert {weight.device.type for weight in model.towers.parameters()} == {"cpu"}


def test_a_killed_run_goes_on_there(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "saved", "job", every_s=0)
    compute, steps = Compute.chosen("cuda", "auto"), []
    for tick in (killed_at(5), lambda _: None):
        model = fresh_model(tmp_path)
        stage = TowerStage(
            model, model.split.train_ends, Budget(600), checkpoints, Team(), compute=compute
        )
        try:
            ended = stage.run(checkpoints.load(), lambda _: None, tick, lambda: 0.0)
        except Killed:
            continue
        steps.append(ended.steps)
    assert steps == [ended.steps]
    assert ended.epochs == SETTINGS.max_epochs


def test_a_bundle_is_made_and_serves(tmp_path: Path) -> None:
    events, items = write_rounds(tmp_path)
    settings = TrainingSettings(width=16, max_epochs=40, chunk=16, learning_rate=1e-2)
    job = Job(events, items, tmp_path / "bundle", compute=Compute.chosen("cuda", "auto"))
    Stages(job, settings).run()
    manifest = Bundle.load(str(tmp_path / "bundle")).manifest
    assert manifest.metrics["test.HR@10"] > 0.9
    assert str(manifest.training["compute"]).startswith("cuda")


@pytest.mark.parametrize("name", NEURAL)
def test_networks_to_compare_with_learn_there(name: str) -> None:
    effort = dataclasses.replace(EFFORTS.get(name, EFFORT), device=torch.device("cuda"))
    baseline = NEURAL[name](effort)
    baseline.fit(TRAIN)
    assert validation_ndcg(baseline, TRAIN) > 0.45
