"""The stages of a release, and what may follow on what.

    proposed ──► shadow ──► canary ──► live ──► standby ──► retired
        └───────────┴──────────┴──► stopped ◄── live (rolled back: the standby is live again)

A stage may be left out. A canary may go back to shadow, or get another share.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from headrace.errors import FailedPrecondition

Slot = Literal["blue", "green"]
SLOTS: tuple[Slot, ...] = get_args(Slot)
FIRST_SLOT: Slot = "blue"
"""Serves while nothing was ever released, with the bundle of its settings."""

Stage = Literal["proposed", "shadow", "canary", "live", "standby", "retired", "stopped"]
CANDIDATE: frozenset[Stage] = frozenset({"proposed", "shadow", "canary"})
ACTIVE: frozenset[Stage] = CANDIDATE | {"live", "standby"}
"""Those that have a slot."""


@dataclass(frozen=True, slots=True)
class Release:
    """A model, and how far it came. share: of people, as a canary; of requests, as a shadow."""

    release_id: int
    model_version: str
    bundle_url: str
    manifest_sha256: str
    slot: Slot
    stage: Stage
    share: float
    salt: str
    reason: str
    created_at: datetime
    stage_since: datetime


@dataclass(frozen=True, slots=True)
class Active:
    """The releases that have a slot: at most one is live, and at most one is not.

    live: None where nothing was ever released; then the first slot serves.
    """

    live: Release | None = None
    other: Release | None = None

    @property
    def live_slot(self) -> Slot:
        return FIRST_SLOT if self.live is None else self.live.slot

    @property
    def free_slot(self) -> Slot:
        """The slot that does not serve."""
        (free,) = set(SLOTS) - {self.live_slot}
        return free

    @property
    def candidate(self) -> Release | None:
        """What is on its way to be live."""
        return self.other if self.other is not None and self.other.stage in CANDIDATE else None

    @property
    def standby(self) -> Release | None:
        """What a rollback makes live again."""
        return self.other if self.other is not None and self.other.stage == "standby" else None

    def in_slot(self, slot: Slot) -> Release | None:
        return next((one for one in (self.live, self.other) if one and one.slot == slot), None)


def to_propose(active: Active) -> None:
    """Raises: FailedPrecondition where the other slot is taken."""
    if active.candidate is not None:
        one = active.candidate
        raise FailedPrecondition(
            f"{one.model_version} is {one.stage} already; `headrace release rollback` stops it"
        )
    if active.standby is not None:
        raise FailedPrecondition(
            f"{active.standby.model_version} stands by for a rollback; "
            "`headrace release retire` gives its place away"
        )


def to_move(active: Active) -> Release:
    """What shadow, canary and promote are about. Raises: FailedPrecondition."""
    if active.candidate is None:
        raise FailedPrecondition("no model is proposed; `headrace release propose URL` first")
    return active.candidate


def to_roll_back(active: Active) -> tuple[Release, Release | None]:
    """What is stopped, and what is live afterwards instead, if anything changes there.

    Raises: FailedPrecondition where there is nothing to go back to.
    """
    if active.candidate is not None:
        return active.candidate, None
    if active.live is None or active.standby is None:
        raise FailedPrecondition("nothing is on its way, and no earlier model stands by")
    return active.live, active.standby


def to_retire(active: Active) -> Release:
    """Raises: FailedPrecondition where no model stands by."""
    if active.standby is None:
        raise FailedPrecondition("no model stands by: there is nothing to retire")
    return active.standby
