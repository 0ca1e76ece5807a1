"""Runs of training as gateways show them to who watches."""

from collections.abc import Mapping

from prometheus_client import REGISTRY

from headrace.retraining.record import Outcome, Tally
from services.gateway.releases.trainings import TrainingView


class Runs:
    def __init__(self) -> None:
        self.known: dict[Outcome, Tally] = {}

    def tallies(self) -> Mapping[Outcome, Tally]:
        return self.known


def shown(metric: str, outcome: Outcome) -> float | None:
    return REGISTRY.get_sample_value(f"headrace_training_{metric}", {"outcome": outcome})


def test_runs_are_shown_by_outcome_and_those_that_never_were_as_none() -> None:
    runs = Runs()
    view = TrainingView(runs)
    assert shown("runs", "failed") == shown("newest_timestamp_seconds", "failed") == 0
    runs.known = {"failed": Tally(2, 1_795_000_000.0), "idle": Tally(30, 1_795_080_000.0)}
    view.refresh()
    assert (shown("runs", "failed"), shown("runs", "idle")) == (2, 30)
    assert shown("newest_timestamp_seconds", "failed") == 1_795_000_000.0
    assert shown("runs", "proposed") == 0
    runs.known = {}
    view.refresh()
    assert shown("runs", "failed") == 0
