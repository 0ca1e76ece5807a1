"""What keeps a bundle from being proposed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.errors import BundleInvalid
from headrace.release.examination import Examined, examine, objections
from tests.bundles import another_version, toy_bundle  # noqa: F401

LIVE = Examined("/m1", "m1", "d1", 16, 0, "one split", {"test": 0.31, "validation": 0.5})
BETTER = replace(LIVE, model_version="m2", figures={"test": 0.32, "validation": 0.4})


def test_nothing_speaks_against_a_better_model_of_another_width() -> None:
    assert objections(replace(BETTER, width=32), LIVE) == []
    assert objections(replace(BETTER, figures={"test": 0.31}), LIVE) == []


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        (replace(BETTER, model_version="m1"), "m1 is live already"),
        (replace(BETTER, figures={"test": 0.3}), "test NDCG@10 is 0.3000, that of m1 is 0.3100"),
        (replace(BETTER, figures={"validation": 0.49}), "validation NDCG@10 is 0.4900"),
        (replace(BETTER, figures={}), "is not in both manifests"),
        (replace(BETTER, split_sha256="another"), "of another split"),
    ],
)
def test_what_speaks_against_a_model_is_said(candidate: Examined, said: str) -> None:
    (objection,) = objections(candidate, LIVE)
    assert said in objection


def test_embeddings_in_the_catalogue_must_fit() -> None:
    live = replace(LIVE, embedding_width=384)
    assert objections(replace(BETTER, embedding_width=0), live) == []
    (objection,) = objections(replace(BETTER, embedding_width=768), live)
    assert "embeddings of 768 numbers, the catalogue has those of 384" in objection


def test_a_bundle_is_examined_with_all_its_files(
    toy_bundle: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = another_version(toy_bundle, tmp_path)
    examined = examine(str(folder))
    assert (examined.model_version, examined.width) == (folder.name, 16)
    for name in json.loads((folder / "manifest.json").read_text())["files"]:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(BundleInvalid, match=f"{name} has sha256"):
            examine(str(folder))
        (folder / name).unlink()
        with pytest.raises(BundleInvalid, match=f"{name} is missing"):
            examine(str(folder))
        (folder / name).write_bytes(content)


def test_a_manifest_of_another_width_than_its_graphs_is_refused(
    toy_bundle: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = another_version(toy_bundle, tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "width": 32}))
    with pytest.raises(BundleInvalid, match="its last axis must be 32"):
        examine(str(folder))
