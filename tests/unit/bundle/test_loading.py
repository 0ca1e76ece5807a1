import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from headrace.bundle import Bundle
from headrace.errors import BundleInvalid, FailedPrecondition


@pytest.fixture
def copy(toy_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(toy_bundle, tmp_path / "bundle"))


def rewrite(bundle: Path, change: Any) -> None:
    """Change the manifest in place."""
    path = bundle / "manifest.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


@pytest.fixture
def remote(toy_bundle: Path) -> Iterator[str]:
    memory, folder = fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}"
    for file in toy_bundle.iterdir():
        memory.pipe_file(f"{folder}/{file.name}", file.read_bytes())
    yield f"memory:/{folder}"
    memory.rm(folder, recursive=True)


def test_a_bundle_is_read_from_any_file_system(toy_bundle: Path, remote: str) -> None:
    assert Bundle.load(remote).manifest == Bundle.load(str(toy_bundle)).manifest


def test_parts_load_alone(toy_bundle: Path) -> None:
    user = Bundle.load(str(toy_bundle), ["user"])
    assert user.user.initial_state(2).shape == (2, user.state_width)
    with pytest.raises(FailedPrecondition):
        _ = user.ranker
    with pytest.raises(FailedPrecondition):
        _ = user.items


def test_the_ranker_part_knows_items_and_does_not_encode_them(toy_bundle: Path) -> None:
    ranker = Bundle.load(str(toy_bundle), ["ranker"])
    assert ranker.items.popularity("item-0") > ranker.items.popularity("item-50") > 0
    assert ranker.items.popularity("never seen") == 0
    with pytest.raises(FailedPrecondition, match="'item'"):
        ranker.items.encode([])


@pytest.mark.parametrize(
    "name",
    [
        "user_step.onnx",
        "user_sequence.onnx",
        "item_encoder.onnx",
        "ncf.onnx",
        "items.npz",
        "vocabulary.json",
    ],
)
def test_a_changed_byte_in_any_file_is_refused(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleInvalid, match=f"{name} has sha256"):
        Bundle.load(str(copy))


def test_a_cut_file_is_refused(copy: Path) -> None:
    (copy / "ncf.onnx").write_bytes((copy / "ncf.onnx").read_bytes()[:-10])
    with pytest.raises(BundleInvalid, match=r"ncf.onnx has \d+ bytes"):
        Bundle.load(str(copy))


@pytest.mark.parametrize("name", ["manifest.json", "items.npz", "user_step.onnx"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleInvalid, match=f"{name} is missing"):
        Bundle.load(str(copy))


def test_a_width_that_the_graphs_do_not_have_is_refused(copy: Path) -> None:
    rewrite(copy, lambda raw: raw.update(width=32))
    with pytest.raises(BundleInvalid, match="last axis must be 32"):
        Bundle.load(str(copy))


def test_shapes_that_the_graph_does_not_have_are_refused(copy: Path) -> None:
    def widen(raw: Any) -> None:
        raw["graphs"]["user_step.onnx"]["outputs"]["vector"] = ["B", 99]

    rewrite(copy, widen)
    with pytest.raises(BundleInvalid, match="output vector has shape"):
        Bundle.load(str(copy))


def test_inputs_that_the_graph_does_not_have_are_refused(copy: Path) -> None:
    def rename(raw: Any) -> None:
        inputs = raw["graphs"]["user_step.onnx"]["inputs"]
        inputs["since"] = inputs.pop("gap_s")

    rewrite(copy, rename)
    with pytest.raises(BundleInvalid, match="inputs are state, item, event_type, gap_s"):
        Bundle.load(str(copy))


def test_a_file_that_is_no_graph_is_refused(copy: Path) -> None:
    def put(raw: Any) -> None:
        (copy / "ncf.onnx").write_bytes(b"no graph")
        digest = hashlib.sha256(b"no graph").hexdigest()
        raw["files"]["ncf.onnx"] = {"size": 8, "sha256": digest}

    rewrite(copy, put)
    with pytest.raises(BundleInvalid, match=r"ncf\.onnx: ONNX Runtime refuses it"):
        Bundle.load(str(copy))


def test_other_features_than_this_release_computes_are_refused(copy: Path) -> None:
    rewrite(copy, lambda raw: raw["features"].append("weather"))
    with pytest.raises(BundleInvalid, match="this release computes"):
        Bundle.load(str(copy))


def test_pictures_of_another_size_than_this_release_reads_are_refused(copy: Path) -> None:
    def larger(raw: Any) -> None:
        raw["graphs"]["item_encoder.onnx"]["inputs"]["picture"] = ["N", 48, 48, 3]

    rewrite(copy, larger)
    with pytest.raises(BundleInvalid, match=r"pictures of the shape \('N', 48, 48, 3\)"):
        Bundle.load(str(copy), ["ranker"])
