import json
from pathlib import Path

import pytest

from headrace.bundle import Manifest
from headrace.errors import BundleInvalid


@pytest.fixture(scope="module")
def text(toy_bundle: Path) -> str:
    return (toy_bundle / "manifest.json").read_text()


def test_a_manifest_survives_being_written_and_read(text: str) -> None:
    manifest = Manifest.from_json(text)
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": 99}, "this release reads format 1"),
        ({"model_version": "v1/beta"}, "model_version 'v1/beta' must be"),
        ({"width": 0}, "width is 0; it must be a whole number"),
        ({"ranking": "best"}, "ranking is 'best'; it must be ncf or retrieval"),
        ({"files": []}, "wrong kind"),
    ],
)
def test_a_wrong_field_is_named(text: str, change: dict[str, object], complaint: str) -> None:
    with pytest.raises(BundleInvalid, match=complaint):
        Manifest.from_json(json.dumps({**json.loads(text), **change}))


def test_missing_fields_are_named(text: str) -> None:
    raw = json.loads(text)
    del raw["width"], raw["files"]
    with pytest.raises(BundleInvalid, match="lacks files, width"):
        Manifest.from_json(json.dumps(raw))


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(BundleInvalid, match="not JSON"):
        Manifest.from_json("{")
