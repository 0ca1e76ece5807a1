"""A pytest plugin: the toy bundle, made once a session (its export takes seconds)."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import asdict
from pathlib import Path

import numpy as np
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


def looking_version(bundle: Path, parent: Path) -> Path:
    """Another version, with an item tower that looks at pictures and sees much in them."""
    import torch

    from headrace.bundle.storage import entry_of
    from headrace.bundle.table import ItemTable
    from headrace.bundle.vocabulary import Vocabulary
    from headrace.models.item_cnn import ItemTower
    from headrace.pictures.pixels import stacked
    from headrace.training.content import content_sizes, item_inputs
    from headrace.training.export import export_graphs
    from headrace.training.graphs import item_graphs
    from headrace.training.toy import toy_items

    folder, items = another_version(bundle, parent), toy_items()
    vocabulary = Vocabulary.from_json((folder / "vocabulary.json").read_bytes())
    table = ItemTable.from_arrays(dict(np.load(folder / "items.npz")))
    inputs = item_inputs(items, vocabulary, table, stacked([None] * len(items))[0])
    manifest = json.loads((folder / "manifest.json").read_text())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tower = ItemTower(manifest["width"], len(items), content_sizes(vocabulary, inputs))
        assert tower.cnn.picture is not None
        torch.nn.init.normal_(tower.cnn.picture.project.weight)
        (graph,) = export_graphs(item_graphs(tower, inputs)).values()
    (folder / "item_encoder.onnx").write_bytes(graph.content)
    manifest["graphs"]["item_encoder.onnx"] = asdict(graph.entry)
    manifest["files"]["item_encoder.onnx"] = asdict(entry_of(graph.content))
    (folder / "manifest.json").write_text(json.dumps(manifest))
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
