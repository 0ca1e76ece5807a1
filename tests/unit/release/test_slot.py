"""What a process of a slot runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.errors import BundleInvalid
from headrace.release.examination import examine
from headrace.release.slot import Model, SlotSettings, load, model_of
from headrace.release.stages import Active, Release
from tests.bundles import another_version, toy_bundle  # noqa: F401

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD = Release(1, "m1", "/m1", "d1", "blue", "live", 0.0, "s1", "", NOW, NOW)
NEW = Release(2, "m2", "/m2", "d2", "green", "proposed", 0.0, "s2", "", NOW, NOW)


def test_before_the_first_release_the_first_slot_runs_the_bundle_of_its_settings() -> None:
    assert model_of(Active(), "blue", "/first") == Model("/first", "")
    assert model_of(Active(), "green", "/first") is None


def test_then_the_registry_decides() -> None:
    both = Active(OLD, NEW)
    assert model_of(both, "blue", "/first") == Model("/m1", "d1")
    assert model_of(both, "green", "/first") == Model("/m2", "d2")
    alone = Active(replace(NEW, stage="live"))
    assert model_of(alone, "blue", "/first") is None
    assert model_of(alone, "green", "/first") == Model("/m2", "d2")


def settings(slot: str = "green") -> SlotSettings:
    return SlotSettings(
        metrics_port=1,
        bundle_url="/first",
        database_url="postgresql://nowhere",
        model_slot=slot,  # type: ignore[arg-type]  # one of the two
    )


def test_a_bundle_that_changed_after_it_was_proposed_is_not_run(
    toy_bundle: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = another_version(toy_bundle, tmp_path)
    proposed = examine(str(folder))
    model = Model(proposed.bundle_url, proposed.manifest_sha256)
    bundle, running = load(model, settings(), "ranker", ["ranker"])
    assert bundle.model_version == running.model_version == folder.name
    assert (running.slot, running.service, running.ready) == ("green", "ranker", False)

    graph = folder / "ncf.onnx"
    content = graph.read_bytes()
    graph.write_bytes(content + b"altered")
    with pytest.raises(BundleInvalid, match=r"ncf\.onnx has"):
        load(model, settings(), "ranker", ["ranker"])
    graph.write_bytes(content)

    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "created_at": "later"}))
    with pytest.raises(BundleInvalid, match="changed since it was released"):
        load(model, settings(), "ranker", ["ranker"])
