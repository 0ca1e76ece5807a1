"""A pytest plugin: the toy bundle, made once a session (its export takes seconds)."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def toy_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a bundle that knows `headrace.training.toy.toy_items()`; do not write to it."""
    from headrace.training.toy import make_toy_bundle

    folder = tmp_path_factory.mktemp("toy") / "bundle"
    make_toy_bundle(folder)
    return folder
