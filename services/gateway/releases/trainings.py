"""What came of the runs of training. Their Job is gone before anybody could ask it for metrics."""

from collections.abc import Mapping
from typing import Protocol

from headrace.retraining.record import Outcome, Tally
from headrace.runtime.periodic import Periodic
from services.gateway.releases.metrics import show_trainings

_PERIOD_S = 15.0


class Runs(Protocol):
    """As much of `Trainings` as gateways need."""

    def tallies(self) -> Mapping[Outcome, Tally]: ...


class TrainingView:
    """Keeps the metrics up to date. All outcomes are there from the start."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        show_trainings({})

    def refresh(self) -> None:
        """Raises: Unavailable; what was read last stays."""
        show_trainings(self._runs.tallies())

    def periodic(self) -> Periodic:
        return Periodic("read_trainings", self.refresh, _PERIOD_S)
