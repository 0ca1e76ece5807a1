"""The decisions: what an interaction does to a person's state, and what a caller is told."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from headrace.contracts.events import EventType
from headrace.errors import Unavailable
from services.user_embedding.cache import StateCache
from services.user_embedding.catching_up import CatchUp
from services.user_embedding.interactions import Arrival, EventStatus, Interaction
from services.user_embedding.leaving_out import LeavingOut, LeftOut
from services.user_embedding.metrics import CONFLICTS, GAPS
from services.user_embedding.states import UserState
from services.user_embedding.stepper import Run, Stepper
from services.user_embedding.storage import Logs, States

# All that is kept of people who do not want personal lists.
_KEPT_OF_EVERYBODY = (EventType.RETRACTION, EventType.NOT_INTERESTED)


@dataclass(frozen=True)
class Outcome:
    """What a batch came to.

    states: of the batch's people who want personal lists, as they stand now, to be published.
    moved: people whose state this batch moved on.
    unlogged: interactions beyond the person's log. The log decides what happened; not these.
    """

    states: Sequence[UserState]
    moved: frozenset[str]
    unlogged: Sequence[Interaction]


class UserEmbedding:
    """Keeps states. Safe to use from threads: the guard of the storage lets the later state stay.

    announce: takes states that were moved on outside `apply`.
    """

    def __init__(
        self,
        *,
        stepper: Stepper,
        states: States,
        logs: Logs,
        cache: StateCache,
        announce: Callable[[Sequence[UserState]], None],
    ) -> None:
        self._stepper = stepper
        self._catch_up = CatchUp(logs, stepper)
        self._leaving_out = LeavingOut(logs, stepper)
        self._states = states
        self._logs = logs
        self._cache = cache
        self._announce = announce

    def apply(self, arrivals: Sequence[Arrival]) -> Outcome:
        """Applies a batch of interactions and stores the states.

        Those already applied change nothing, and their people are among the outcome's states all
        the same: a crash may have come between storing and publishing. Where the next one is
        missing, the log tells.

        Raises: Unavailable while storage or items' vectors are away; nothing is stored then.
        """
        partitions = {arrival.interaction.user_id: arrival.partition for arrival in arrivals}
        news = _by_user(arrival.interaction for arrival in arrivals)
        before = self._known(list(news))
        runs, behind = self._plan(before, news)
        after = {**before, **self._catch_up_all(behind)}
        after.update((state.user_id, state) for state in self._stepper.advance(runs))
        standing = {**after, **self._store(before, after)}
        self._cache.put((s, partitions[user]) for user, s in standing.items() if s.n)
        quiet = self._unwilling_among(news)
        return Outcome(
            states=[
                state
                for state in standing.values()
                if state.position > (0, 0) and state.user_id not in quiet
            ],
            moved=frozenset(user for user in standing if standing[user] is not before[user]),
            unlogged=self._unlogged(news, standing),
        )

    def lose(self, partitions: Iterable[int]) -> None:
        """Forgets the states of people whose interactions go to another process from now on."""
        self._cache.drop_partitions(set(partitions))

    def current(self, user_id: str) -> UserState:
        """The person's state with everything that the log holds; blank where it holds nothing.

        Raises: Unavailable while storage is away and the state is not in memory, or items' vectors
        are.
        """
        cached = self._cache.get([user_id]).get(user_id)
        try:
            position = self._logs.position(user_id)
        except Unavailable:
            if cached is None:
                raise
            return cached
        if cached is not None and cached.position >= position:
            return cached
        if position == (0, 0):
            return self._stepper.fresh(user_id)
        stored = self._states.load([user_id]).get(user_id)
        if stored is not None and stored.position >= position:
            self._cache.refresh([stored])
            return stored
        moved = self._repair({user_id: stored or self._stepper.fresh(user_id)}, "read")
        self._tell(_made_anew(moved, {user_id} if stored is not None else ()))
        return moved.get(user_id) or self._known([user_id])[user_id]

    def stored(self, user_ids: Sequence[str]) -> list[UserState]:
        """States as they are stored, of those who have one, in order; kept nowhere.

        Raises: Unavailable while storage is away.
        """
        states = self._states.load(user_ids)
        return [states[user_id] for user_id in dict.fromkeys(user_ids) if user_id in states]

    def page(self, after: str, active_since: datetime | None, limit: int) -> list[UserState]:
        """Everybody's, page by page; as `stored`."""
        return list(self._states.page(after, active_since, limit))

    def repair(self, user_ids: Sequence[str]) -> None:
        """Brings people's states up to date from the log, stores and announces them.

        Raises: as `apply`.
        """
        stored = self._states.load(user_ids)
        before = {user: stored.get(user) or self._stepper.fresh(user) for user in user_ids}
        self._tell(_made_anew(self._repair(before, "sweep"), stored))

    def embed_session(self, user_id: str, ordinals: Sequence[int]) -> UserState:
        """The person's state, blank without a person, after clicks on these items; not stored.

        Raises: as `current`.
        """
        start = self.current(user_id) if user_id else self._stepper.fresh("")
        return self._stepper.visit(start, ordinals)

    def leave_out(self, user_id: str, items: int) -> LeftOut:
        """The person's state, and those without each of the last `items` items; not stored.

        Raises: Unavailable while storage or items' vectors are away.
        """
        return self._leaving_out.each(user_id, items)

    def event_status(self, user_id: str, event_id: str) -> tuple[EventStatus, int]:
        """What became of an event, and its number in the log, 0 where it has none.

        Raises: Unavailable while storage is away.
        """
        return self._logs.event(user_id, event_id)

    def forget(self, people: Collection[str]) -> int:
        """Forgets the states of people who were erased. Returns: how many there were."""
        here = len(self._cache.get(list(people)))
        self._cache.drop(people)
        return here

    def forget_everybody(self) -> None:
        self._cache.clear()

    def _unwilling_among(self, news: Mapping[str, Sequence[Interaction]]) -> set[str]:
        """Those who do not want personal lists. Asked only where it may be: most batches have
        something that would not have been kept of them."""
        maybe = [
            user
            for user, entries in news.items()
            if all(entry.type in _KEPT_OF_EVERYBODY for entry in entries)
        ]
        return self._logs.opted_out(maybe) if maybe else set()

    def _tell(self, moved: Mapping[str, UserState]) -> None:
        """No ranker has the vector of somebody who does not want personal lists in memory."""
        if moved:
            quiet = self._logs.opted_out(list(moved))
            self._announce([state for user, state in moved.items() if user not in quiet])

    def _unlogged(
        self, news: Mapping[str, Sequence[Interaction]], standing: Mapping[str, UserState]
    ) -> list[Interaction]:
        """What no log has; of people who were erased since, nothing is missed."""
        beyond = [
            entry
            for user, entries in news.items()
            for entry in entries
            if entry.position > standing[user].position
        ]
        if not beyond:
            return []
        erased = self._logs.erased(sorted({entry.user_id for entry in beyond}))
        return [entry for entry in beyond if entry.epoch >= erased.get(entry.user_id, 0)]

    def _known(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """States from memory, else from storage, else blank."""
        states = self._cache.get(user_ids)
        missing = [user for user in user_ids if user not in states]
        if missing:
            states.update(self._states.load(missing))
        return {user: states.get(user) or self._stepper.fresh(user) for user in user_ids}

    def _plan(
        self, before: Mapping[str, UserState], news: Mapping[str, Sequence[Interaction]]
    ) -> tuple[list[Run], dict[str, list[UserState]]]:
        """What to step at once, and by reason which states the log must bring up to date."""
        runs: list[Run] = []
        behind: dict[str, list[UserState]] = {}
        for user, entries in news.items():
            state = before[user]
            new = {e.position: e for e in entries if e.position > state.position}
            run = [new[position] for position in sorted(new)]
            if not run:
                continue
            if all(entry.position == (state.epoch, state.n + 1 + i) for i, entry in enumerate(run)):
                runs.append(Run(state, run))
                continue
            reason = _why_behind(state, run)
            if reason == "gap":
                GAPS.inc()
            behind.setdefault(reason, []).append(state)
        return runs, behind

    def _catch_up_all(self, behind: Mapping[str, Sequence[UserState]]) -> dict[str, UserState]:
        caught_up: dict[str, UserState] = {}
        for reason, states in behind.items():
            caught_up.update(self._catch_up.to_date(states, reason))
        return caught_up

    def _repair(self, before: Mapping[str, UserState], reason: str) -> dict[str, UserState]:
        """Returns: the states of those whom the log moved on, as they stand in storage."""
        after = self._catch_up.to_date(list(before.values()), reason)
        standing = self._store(before, after)
        self._cache.refresh(standing.values())
        return standing

    def _store(
        self, before: Mapping[str, UserState], after: Mapping[str, UserState]
    ) -> dict[str, UserState]:
        """Stores what moved on.

        Returns: those states, or the later ones that were there; blank ones of who was erased.
        """
        moved = {u: state for u, state in after.items() if state.position > before[u].position}
        if not moved:
            return {}
        refused = moved.keys() - self._states.save(list(moved.values()))
        if not refused:
            return moved
        CONFLICTS.inc(len(refused))
        self._cache.drop(refused)
        stored = self._states.load(sorted(refused))
        return {**moved, **{u: stored.get(u) or self._stepper.fresh(u) for u in refused}}


def _made_anew(moved: Mapping[str, UserState], stored: Collection[str]) -> dict[str, UserState]:
    """Of those without a state until now, as after a release or a rebuild, nothing is said of when
    their last event was accepted: nobody waits for it, and freshness would count it as so late."""
    return {
        user: state if user in stored else replace(state, last_accepted_at=None)
        for user, state in moved.items()
    }


def _by_user(entries: Iterable[Interaction]) -> dict[str, list[Interaction]]:
    groups: dict[str, list[Interaction]] = {}
    for entry in entries:
        groups.setdefault(entry.user_id, []).append(entry)
    return groups


def _why_behind(state: UserState, run: Sequence[Interaction]) -> str:
    if run[-1].epoch > state.epoch:
        return "epoch"
    return "gap" if state.n else "no_state"
