"""Two processes under torchrun reach what one reaches."""

import os
import subprocess
import sys
from pathlib import Path

from headrace.bundle.manifest import Manifest
from headrace.training.budget import Budget
from headrace.training.data import read_log
from headrace.training.model import build_model
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from tests.unit.training.logs import write_rounds

_ROOT = Path(__file__).parents[3]
_DEADLINE_S = 240
_EPOCHS = 25


def test_two_processes_reach_the_quality_of_one(tmp_path: Path) -> None:
    events, items = write_rounds(tmp_path)
    log = read_log(events, items)
    model = build_model(log, split(log, "leave-one-out"), TrainingSettings(max_epochs=_EPOCHS))
    ends = model.split.train_ends
    one = TowerStage(model, ends, Budget(_DEADLINE_S), None, Team()).run(
        None, lambda _: None, lambda: None, lambda: 0.0
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "headrace.training.train", "--threads", "1"]
    command += ["--interactions", str(events), "--items", str(items)]
    command += ["--out", str(tmp_path / "bundle"), "--minutes", "9", "--epochs", str(_EPOCHS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=_ROOT, env=environment, check=True, timeout=_DEADLINE_S)
    manifest = Manifest.from_json((tmp_path / "bundle" / "manifest.json").read_text())
    assert one.best > 0.2
    assert manifest.metrics["retrieval.validation.NDCG@10"] > 0.9 * one.best
