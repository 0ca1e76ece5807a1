"""Whether there is reason to train. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Triggers:
    """So many new events, or so much drift, are a reason."""

    events: int
    drift: float


@dataclass(frozen=True)
class Standing:
    """Where the live model stands. since: until then it learned; exact: as its manifest says, else
    it is when the model was made. events: new to it. drift: by input; empty: too little to tell."""

    since: datetime
    exact: bool
    events: int
    drift: Mapping[str, float]

    def line(self) -> str:
        """For people."""
        moment = "learned until" if self.exact else "was made at"
        return (
            f"the live model {moment} {self.since:%Y-%m-%d %H:%M:%S} UTC; {self.events:,} events "
            f"since; drift {self._drift()}"
        )

    def _drift(self) -> str:
        if not self.drift:
            return "not told by so few live events"
        return ", ".join(f"of {name} {index:.3f}" for name, index in sorted(self.drift.items()))


def new_since(standing: Standing, triggers: Triggers) -> datetime | None:
    """From when on events are new to the live model, for sure. None: that is not known.

    What happened after a model was made is new to it too, where enough did.
    """
    return standing.since if standing.exact or standing.events >= triggers.events else None


def reasons(standing: Standing, triggers: Triggers) -> list[str]:
    """Empty: there is none."""
    found = []
    if standing.events >= triggers.events:
        found.append(f"{standing.events:,} events are new, {triggers.events:,} are enough")
    found.extend(
        f"{name} drifted: {index:.3f}, {triggers.drift:g} is much"
        for name, index in sorted(standing.drift.items())
        if index >= triggers.drift
    )
    return found
