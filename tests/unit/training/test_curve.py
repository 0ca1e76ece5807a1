"""The learning curve, as a file of lines and as TensorBoard reads it."""

import json
import logging
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headrace.training.curve import Curve, Point
from tests.unit.training.disk import room_for


def point(steps: int, loss: float = 2.5) -> Point:
    return Point(
        seconds=10.0,
        epochs=1,
        steps=steps,
        loss=loss,
        learning_rate=0.002,
        ndcg_at_10=0.125,
        events_per_s=20_000.0,
        step_share=0.9,
        loading_share=0.01,
        peak_gb=1.5,
        gpu_peak_gb=0.0,
    )


def charts(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard would draw: steps and values by name."""
    events = EventAccumulator(str(folder)).Reload()
    return {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def test_each_point_is_a_line_and_a_step_of_every_chart(tmp_path: Path) -> None:
    curve = Curve(tmp_path / "curve.jsonl", tmp_path / "logs")
    curve.add(point(100))
    curve.add(point(200, loss=2.0))
    curve.close()
    lines = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [(line["steps"], line["loss"]) for line in lines] == [(100, 2.5), (200, 2.0)]
    found = charts(tmp_path / "logs")
    assert found["towers/loss"] == [(100, 2.5), (200, 2.0)]
    assert found["validation/NDCG@10"] == [(100, 0.125), (200, 0.125)]
    assert found["speed/events_per_s"][0] == (100, 20_000.0)
    assert set(found) >= {
        "towers/learning_rate",
        "speed/step_share",
        "speed/loading_share",
        "memory/peak_gb",
    }


def test_a_resumed_run_draws_over_what_its_checkpoint_had_not_seen(tmp_path: Path) -> None:
    killed = Curve(None, tmp_path)
    for steps in (100, 200, 300):
        killed.add(point(steps))
    killed.close()
    resumed = Curve(None, tmp_path)
    resumed.add(point(200, loss=1.0))
    resumed.close()
    assert charts(tmp_path)["towers/loss"] == [(100, 2.5), (200, 1.0)]


def test_without_room_it_warns_once_and_the_fitting_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    curve = Curve(tmp_path / "curve.jsonl", None)
    with caplog.at_level(logging.WARNING), room_for(0):
        curve.add(point(100))
        curve.add(point(200))
    assert len(caplog.records) == 1
    assert "learning curve cannot be written" in caplog.text
