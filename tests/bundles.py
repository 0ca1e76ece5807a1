"""A pytest plugin: the toy bundle, made once a session (its export takes seconds)."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import pytest

from headrace.release.examination import examine
from headrace.release.registry import Running


@pytest.fixture(scope="session")
def toy_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a bundle that knows `headrace.training.toy.toy_items()`; do not write to it."""
    from headrace.training.toy import make_toy_bundle

    folder = tmp_path_factory.mktemp("toy") / "bundle"
    make_toy_bundle(folder)
    return folder


def another_version(bundle: Path, parent: Path) -> Path:
    """A copy under `parent` that differs in its model version alone: so do its topics."""
    version = f"toy-{uuid.uuid4().hex[:12]}"
    folder = Path(shutil.copytree(bundle, parent / version))
    manifest = folder / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "model_version": version}))
    return folder


def live_ranker(bundle: Path) -> Running:
    """What the ranker of slot blue says of itself, which runs this bundle."""
    examined = examine(str(bundle))
    return Running(
        "blue",
        "ranker",
        "host/1",
        examined.model_version,
        examined.bundle_url,
        examined.manifest_sha256,
        ready=True,
    )
