import os
import subprocess
import sys
from pathlib import Path


def test_onnx_runtime_makes_no_id_of_the_machine_and_reports_to_nobody(tmp_path: Path) -> None:
    # It keeps silent by itself where it believes to be tested.
    given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    program = "import headrace.bundle, sys; print('onnxruntime' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "True\n"
    assert list(tmp_path.iterdir()) == []
