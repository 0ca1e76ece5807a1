"""What the gateway decides about events: which are kept, and when they are accepted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

from prometheus_client import Counter

from headrace.contracts.events import REFUSAL, NewEvent
from headrace.errors import Unavailable
from services.gateway.privacy.choices import OFF, Choices

EVENTS = Counter("headrace_gateway_events_accepted_total", "Events that Kafka has.", ["type"])


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """An event that passed every check, with its id."""

    event_id: str
    event: NewEvent
    accepted_at: datetime


class EventsNotConfirmed(Unavailable):
    """Kafka did not confirm all events: some may be stored. `event_ids` make a retry harmless."""

    def __init__(self, event_ids: Sequence[str], cause: Unavailable) -> None:
        super().__init__(
            f"{cause}. Some of the events may be stored: send all of them again with the same "
            "event_ids"
        )
        self.event_ids = tuple(event_ids)


class EventLog(Protocol):
    """Keeps events for those who work on them."""

    async def append(self, events: Sequence[AcceptedEvent]) -> None:
        """Returns once they are safe. Raises: Unavailable where that is not certain."""


class Refusals(Protocol):
    """Hears what people want in no list."""

    async def heard(self, user_id: str, event_id: str) -> None:
        """Waits until lists without their vectors know of this refusal, for a moment at most."""


class Events:
    """All events of a request, or none."""

    def __init__(self, log: EventLog, choices: Choices, refusals: Refusals) -> None:
        self._log = log
        self._choices = choices
        self._refusals = refusals

    async def record(self, events: Sequence[NewEvent]) -> list[str]:
        """Keeps all events or raises. Returns their ids in order.

        Of somebody who does not want personal lists only what they refuse is kept: nothing else
        would be as they wish. Their lists know of it by the time this returns.

        Raises: EventsNotConfirmed.
        """
        now = datetime.now(UTC)
        accepted = [AcceptedEvent(event.event_id or uuid4().hex, event, now) for event in events]
        event_ids = [one.event_id for one in accepted]
        kept = [
            one for one in accepted if one.event.type == REFUSAL or not self._opted_out(one.event)
        ]
        try:
            await self._log.append(kept)
        except Unavailable as error:
            raise EventsNotConfirmed(event_ids, error) from error
        for one in kept:
            EVENTS.labels(one.event.type).inc()
        # `after` says nothing to people who opted out, so it is here that they wait.
        refused = {one.event.user_id: one.event_id for one in kept if self._opted_out(one.event)}
        await asyncio.gather(*(self._refusals.heard(*last) for last in refused.items()))
        return event_ids

    def _opted_out(self, event: NewEvent) -> bool:
        return self._choices.why_not(event.user_id) == OFF
