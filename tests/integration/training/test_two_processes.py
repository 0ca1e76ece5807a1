"""Two processes under torchrun reach what one reaches."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.training.member import trained
from tests.unit.training.logs import write_rounds

_ROOT = Path(__file__).parents[3]
_DEADLINE_S = 240
_EPOCHS = 60


def test_two_processes_reach_the_quality_of_one(tmp_path: Path) -> None:
    write_rounds(tmp_path, pictures=True)
    one = trained(tmp_path, _EPOCHS)
    assert one is not None
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "tests.integration.training.member"]
    command += [str(tmp_path), str(_EPOCHS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=_ROOT, env=environment, check=True, timeout=_DEADLINE_S)
    two = json.loads((tmp_path / "metrics.json").read_text())
    reached = one.metrics["retrieval.validation.NDCG@10"]
    assert reached > 0.5
    assert two["retrieval.validation.NDCG@10"] > 0.9 * reached
