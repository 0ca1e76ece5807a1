"""Logs and states in memory, with the rules that the tables in Postgres have."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from headrace.contracts.events import EventType
from headrace.errors import Unavailable
from services.user_embedding.interactions import EventStatus, Interaction, Page
from services.user_embedding.states import UserState


class MemoryStates:
    """The later state stays."""

    def __init__(self) -> None:
        self.states: dict[str, UserState] = {}
        self.loads = 0
        self.away = False

    def load(self, user_ids: Sequence[str]) -> Mapping[str, UserState]:
        self._check()
        self.loads += 1
        return {user: self.states[user] for user in user_ids if user in self.states}

    def page(self, after: str, active_since: datetime | None, limit: int) -> Sequence[UserState]:
        self._check()
        behind = [self.states[user] for user in sorted(self.states) if user > after]
        alive = [one for one in behind if not one.blank]
        return [one for one in alive if _since(one, active_since)][:limit]

    def save(self, states: Sequence[UserState]) -> set[str]:
        self._check()
        written = set()
        for state in states:
            stored = self.states.get(state.user_id)
            if stored is None or stored.position < state.position:
                self.states[state.user_id] = state
                written.add(state.user_id)
        return written

    def _check(self) -> None:
        if self.away:
            raise Unavailable("storage is away")


def _since(state: UserState, moment: datetime | None) -> bool:
    last = state.last_occurred_at
    return moment is None or (last is not None and last >= moment)


@dataclass
class MemoryLogs:
    """Logs by person."""

    entries: dict[str, list[Interaction]] = field(default_factory=lambda: defaultdict(list))
    epochs: dict[str, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    unwilling: set[str] = field(default_factory=set)
    reads: int = 0
    away: bool = False

    def append(self, *entries: Interaction) -> None:
        for entry in entries:
            self.entries[entry.user_id].append(entry)

    def retract(self, user_id: str, n: int) -> Interaction:
        """As event_ingest does: marks entry `n`; an epoch begins with the entry that says so."""
        entries = self.entries[user_id]
        self.epochs[user_id] = epoch = self.epochs.get(user_id, 0) + 1
        entries[n - 1] = entries[n - 1]._replace(retracted=True)
        retraction = entries[-1]._replace(
            epoch=epoch,
            n=len(entries) + 1,
            event_id=f"retract-{n}",
            item_ordinal=0,
            type=EventType.RETRACTION,
        )
        entries.append(retraction)
        self.entries[user_id] = [entry._replace(epoch=epoch) for entry in entries]
        return retraction

    def erase(self, user_id: str) -> None:
        """The log begins anew in the next epoch."""
        self.entries[user_id].clear()
        self.epochs[user_id] = self.epochs.get(user_id, 0) + 1

    def erased(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        return {user: self.gone[user] for user in user_ids if user in self.gone}

    def opted_out(self, user_ids: Sequence[str]) -> set[str]:
        return self.unwilling.intersection(user_ids)

    def position(self, user_id: str) -> tuple[int, int]:
        if self.away:
            raise Unavailable("storage is away")
        return self.epochs.get(user_id, 0), len(self.entries.get(user_id, ()))

    def pages(self, states: Sequence[UserState], limit: int) -> Mapping[str, Page]:
        if self.away:
            raise Unavailable("storage is away")
        self.reads += 1
        return {
            state.user_id: self._page(state, limit)
            for state in states
            if state.user_id in self.entries
        }

    def event(self, user_id: str, event_id: str) -> tuple[EventStatus, int]:
        numbers = [e.n for e in self.entries.get(user_id, ()) if e.event_id == event_id]
        return (EventStatus.PENDING, numbers[0]) if numbers else (EventStatus.UNKNOWN, 0)

    def _page(self, state: UserState, limit: int) -> Page:
        epoch = self.epochs.get(state.user_id, 0)
        after = state.n if epoch == state.epoch else 0
        entries = [e for e in self.entries[state.user_id] if e.n > after][:limit]
        return Page(state.user_id, epoch, entries, more=len(entries) == limit)
