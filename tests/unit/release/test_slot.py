"""What a process of a slot runs."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.errors import BundleInvalid
from headrace.release.examination import examine
from headrace.release.registry import Running
from headrace.release.slot import Model, SlotSettings, load, look, model_of
from headrace.release.stages import Active, Release
from headrace.runtime.readiness import Readiness
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


class OneProcess:
    """A process of a slot, and the registry that it tells of itself."""

    def __init__(self, active: Active) -> None:
        self.readiness = Readiness()
        self.said_ready: list[bool] = []
        self.left = False
        self._active = active

    def seen(self, running: Sequence[Running]) -> Active:
        self.said_ready += [one.ready for one in running]
        return self._active

    def leave(self) -> None:
        self.left = True


@pytest.mark.parametrize("then", [Active(OLD), Active(OLD, replace(NEW, manifest_sha256="d3"))])
def test_a_process_makes_room_and_is_not_counted_on_meanwhile(then: Active) -> None:
    running = Running("green", "ranker", "a", "m2", "/m2", "d2", ready=False)
    stays, goes = OneProcess(Active(OLD, NEW)), OneProcess(then)
    for process in (stays, goes):
        look(process, running, process, linger_s=0)
    assert (stays.said_ready, stays.left) == ([True], False)
    assert (goes.said_ready, goes.left) == ([True, False], True)


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
