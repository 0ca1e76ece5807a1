"""The Dockerfiles: linted, pinned, and given all that a wheel is built from."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from tests.integration.deploy.manifests import DEPLOY

_ROOT = DEPLOY.parent
_FILES = sorted((DEPLOY / "docker").glob("*.Dockerfile"))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path: Path) -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint, "hadolint is missing: run `make setup`"
    run = subprocess.run([hadolint, str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_the_image_runs_as_nobody_in_particular_on_a_pinned_base(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^FROM (\S+)", text, re.M) == ["python:3.11.14-slim-bookworm"] * 3
    assert re.findall(r"^USER (\S+)", text, re.M) == ["10001:10001"]
    assert 'ENTRYPOINT ["python", "-m"]' in text


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_the_build_uses_the_version_and_the_tools_that_the_repository_names(path: Path) -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    text = path.read_text()
    assert f'version="{project["project"]["version"]}"' in text
    lock = (_ROOT / "requirements.lock").read_text()
    for tool, pinned in re.findall(r"(uv|cyclonedx-bom)==(\S+)", text):
        assert f"\n{tool}=={pinned} " in lock


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_the_image_says_what_it_is_and_from_which_commit(path: Path) -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', path.read_text()))
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    assert {"title", "description"} < labels.keys()
    assert labels["licenses"] == project["license"]
    assert project["urls"]["Documentation"] == f"{labels['source']}#readme"
    assert labels["revision"] == "${REVISION}"


def test_what_serves_can_back_up_the_postgres_that_is_deployed() -> None:
    # pg_dump refuses a server that is newer than itself.
    servers = {
        re.sub(r".*:(\d+).*", r"\1", image)
        for image in (
            yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["postgres"]["image"],
            yaml.safe_load((DEPLOY / "k8s/components/cloudnative-pg/cluster.yaml").read_text())[
                "spec"
            ]["imageName"],
        )
    }
    text = (DEPLOY / "docker" / "serving.Dockerfile").read_text()
    [client] = re.findall(r"postgresql-client-(\d+)=\1\.", text)
    assert servers == {client}
    assert f":/usr/lib/postgresql/{client}/bin:" in text


def test_the_command_of_the_dockerfiles_writes_a_bill_of_what_is_installed(tmp_path: Path) -> None:
    commands = {
        re.sub(r"\s*\\\n\s*", " ", command)
        for path in _FILES
        for command in re.findall(r"cyclonedx-py (?:[^\n]*\\\n)?[^\n]*", path.read_text())
    }
    [command] = commands
    bill, folder = tmp_path / "sbom.cdx.json", "/opt/headrace"
    assert command.endswith(f" --output-file {folder}/sbom.cdx.json {folder}")
    told = command.replace(f"{folder}/sbom.cdx.json", str(bill)).replace(folder, sys.prefix)
    program = shutil.which("cyclonedx-py", path=str(Path(sys.executable).parent))
    assert program, "cyclonedx-py is missing: run `make setup`"
    subprocess.run([program, *told.split()[1:]], check=True, capture_output=True)
    listed = {one["name"]: one for one in json.loads(bill.read_text())["components"]}
    for name in ("kafka-python", "onnxruntime", "grpcio"):
        assert listed[name]["version"] == version(name)
        assert listed[name]["licenses"], name


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_whatever_the_wheel_holds_is_copied_and_not_ignored(path: Path) -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {*packages, "protos", "pyproject.toml", "README.md", "LICENSE", "requirements.lock"}
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)", path.read_text(), re.M)
        for source in line.split()[:-1]
    }
    let_in = {
        line.removeprefix("!")
        for line in (_ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert needed <= copied
    assert copied <= let_in
