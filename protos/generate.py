"""Generates `headrace/api` from the protos beside this file.

`python protos/generate.py` writes it; `--check` exits 1 where what is there differs from what the
protos say. Building the distribution runs it too, as a hatchling hook.
"""

import argparse
import filecmp
import os
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROTOS = Path(__file__).resolve().parent
TARGET = PROTOS.parent / "headrace" / "api"
WELL_KNOWN = str(files("grpc_tools") / "_proto")
PLUGINS = ("protoc-gen-mypy", "protoc-gen-mypy_grpc")


class GenerateHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the generated package into wheels and editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        generate(TARGET)


def generate(target: Path) -> None:
    """Replaces `target`, a folder named `headrace/api`, by freshly generated code."""
    root = target.parent.parent
    sources = sorted(str(path) for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        status = protoc.main(
            [
                "protoc",
                f"--proto_path={PROTOS}",
                f"--proto_path={WELL_KNOWN}",
                *(f"--plugin={name}={_program(name)}" for name in PLUGINS),
                f"--python_out={scratch}",
                f"--grpc_python_out={scratch}",
                f"--mypy_out={scratch}",
                f"--mypy_grpc_out={scratch}",
                *sources,
            ]
        )
        if status != 0:
            raise SystemExit(f"protoc failed with status {status}; see its messages above")
        made = Path(scratch) / "headrace" / "api"
        for folder in [made, *(path for path in made.rglob("*") if path.is_dir())]:
            (folder / "__init__.py").touch()
        shutil.rmtree(target, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        shutil.copytree(made, target)


def _program(name: str) -> str:
    """A program of this Python's environment, activated or not; else one on PATH."""
    here = Path(sys.executable).parent
    found = shutil.which(name, path=os.pathsep.join([str(here), os.environ.get("PATH", "")]))
    if found is None:
        raise SystemExit(f"{name} was not found: install mypy-protobuf into this environment")
    return found


def differences(left: Path, right: Path) -> list[str]:
    """Paths that only one folder holds, or whose contents differ. Bytecode is left out."""

    def listing(root: Path) -> set[Path]:
        return {
            path.relative_to(root)
            for path in root.rglob("*.py*")
            if path.suffix in {".py", ".pyi"} and path.is_file()
        }

    in_left, in_right = listing(left), listing(right)
    unequal = {
        path
        for path in in_left & in_right
        if not filecmp.cmp(left / path, right / path, shallow=False)
    }
    return sorted(str(path) for path in (in_left ^ in_right) | unequal)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if not parser.parse_args().check:
        generate(TARGET)
        return
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "headrace" / "api"
        generate(fresh)
        stale = differences(fresh, TARGET)
    if stale:
        sys.exit(f"headrace/api is not what protos/ says: {', '.join(stale)}. Run: make api")


if __name__ == "__main__":
    main()
