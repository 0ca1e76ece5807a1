"""Generated code is compared file by file with what the protos say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "protos" / "generate.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_equal_folders_have_no_differences(script: ModuleType, tmp_path: Path) -> None:
    for side in ("left", "right"):
        _write(tmp_path / side, a__x_dot_py="1", a__x_dot_pyi="2")
    assert script.differences(tmp_path / "left", tmp_path / "right") == []


def test_missing_surplus_and_changed_files_are_named(script: ModuleType, tmp_path: Path) -> None:
    left = _write(tmp_path / "left", same_dot_py="1", changed_dot_py="1", gone_dot_pyi="1")
    right = _write(tmp_path / "right", same_dot_py="1", changed_dot_py="2", new__x_dot_py="1")
    assert script.differences(left, right) == ["changed.py", "gone.pyi", "new/x.py"]


def test_bytecode_and_other_files_do_not_count(script: ModuleType, tmp_path: Path) -> None:
    left = _write(tmp_path / "left", x_dot_py="1")
    right = _write(tmp_path / "right", x_dot_py="1", x_dot_pyc="2", notes_dot_txt="3")
    assert script.differences(left, right) == []


def test_a_missing_folder_differs_in_everything(script: ModuleType, tmp_path: Path) -> None:
    left = _write(tmp_path / "left", x_dot_py="1")
    assert script.differences(left, tmp_path / "absent") == ["x.py"]


def test_generating_replaces_what_was_there(script: ModuleType, tmp_path: Path) -> None:
    target = tmp_path / "headrace" / "api"
    _write(target, old__stale_pb2_dot_py="1")
    script.generate(target)
    assert not (target / "old").exists()
    assert (target / "events" / "v1" / "events_pb2.pyi").exists()
    assert (target / "gateway" / "v1" / "gateway_pb2_grpc.py").exists()
    assert (target / "__init__.py").exists()
