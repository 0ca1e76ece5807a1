from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from headrace.bundle import Bundle
from headrace.bundle.known import Neighbours
from headrace.bundle.storage import BundleFolder
from headrace.bundle.table import ItemTable
from headrace.bundle.vocabulary import Vocabulary
from headrace.bundle.writer import BundleContent, Exported, write_bundle
from headrace.errors import BundleInvalid

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def content(toy_bundle: Path) -> BundleContent:
    folder = BundleFolder(str(toy_bundle))
    manifest = folder.manifest
    return BundleContent(
        graphs={
            name: Exported(folder.read(name), entry) for name, entry in manifest.graphs.items()
        },
        weights={"towers.item.biases.weight": np.zeros((2, 1), dtype=np.float32)},
        table=ItemTable.from_arrays(folder.read_arrays("items.npz")),
        neighbours=Neighbours.none(manifest.items),
        vocabulary=Vocabulary.from_json(folder.read("vocabulary.json")),
        width=manifest.width,
        user_width=manifest.user_width,
        state_width=manifest.state_width,
        tower=manifest.tower,
        max_sequence=manifest.max_sequence,
        event_types=manifest.event_types,
        ranking="retrieval",
        rating_trained=False,
        data_sha256="d",
        split_sha256="s",
        metrics={"validation.HR@10": 0.5},
        training={"seed": 1},
    )


def test_a_version_is_a_date_and_a_digest_of_the_weights(
    content: BundleContent, tmp_path: Path
) -> None:
    manifest = write_bundle(tmp_path / "a", content, now=NOW)
    assert manifest.model_version.startswith("20261124-")
    assert manifest.model_version == write_bundle(tmp_path / "b", content, now=NOW).model_version


def test_what_is_written_is_what_is_read(content: BundleContent, tmp_path: Path) -> None:
    manifest = write_bundle(tmp_path / "bundle", content, now=NOW)
    read = Bundle.load(str(tmp_path / "bundle"))
    assert read.manifest == manifest
    assert read.ranker.ranking == "retrieval"
    kept = BundleFolder(str(tmp_path / "bundle")).read_arrays("weights.npz")
    assert {name: array.shape for name, array in kept.items()} == {
        "towers.item.biases.weight": (2, 1)
    }


def test_a_bundle_is_replaced_as_a_whole(content: BundleContent, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    write_bundle(folder, content, now=NOW)
    (folder / "stale").touch()
    write_bundle(folder, content, now=NOW)
    assert not (folder / "stale").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_bundle_that_fails_its_check_changes_nothing(
    content: BundleContent, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    before = write_bundle(folder, content, now=NOW)

    def refuse(bundle: Bundle) -> None:
        raise BundleInvalid("differs from torch")

    with pytest.raises(BundleInvalid, match="differs from torch"):
        write_bundle(folder, content, refuse)
    assert Bundle.load(str(folder)).manifest == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_bundle_that_was_set_aside_by_a_killed_process_is_put_back(
    content: BundleContent, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    before = write_bundle(folder, content, now=NOW)
    folder.rename(tmp_path / ".bundle.before")

    def refuse(bundle: Bundle) -> None:
        raise BundleInvalid("differs from torch")

    with pytest.raises(BundleInvalid, match="differs from torch"):
        write_bundle(folder, content, refuse)
    assert Bundle.load(str(folder)).manifest == before


def test_a_folder_with_something_else_is_left_alone(content: BundleContent, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(BundleInvalid, match="neither empty nor a bundle"):
        write_bundle(tmp_path, content)
    with pytest.raises(BundleInvalid, match="is a file"):
        write_bundle(tmp_path / "letter.txt", content)
