"""The service with its parts in memory, and logs to feed it."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from headrace.contracts.events import EventType
from headrace.index.encoding import Vector
from services.user_embedding.cache import StateCache
from services.user_embedding.interactions import Arrival, Interaction
from services.user_embedding.memory import Memory
from services.user_embedding.service import Outcome, UserEmbedding
from services.user_embedding.states import UserState
from services.user_embedding.stepper import Stepper
from tests.unit.user_embedding.linear_tower import WIDTH, LinearTower, TableOfItems
from tests.unit.user_embedding.memory_storage import MemoryLogs, MemoryStates

START = datetime(2026, 1, 1, tzinfo=UTC)
SEEN_TYPES = frozenset({EventType.PURCHASE, EventType.LIKE, EventType.DISLIKE, EventType.RATING})


def entry(
    user_id: str,
    n: int,
    item: int,
    kind: EventType = EventType.CLICK,
    *,
    epoch: int = 0,
    at_s: float | None = None,
    backfill: bool = False,
) -> Interaction:
    """An entry of a log, by default ten seconds after the one before."""
    at = START + timedelta(seconds=10 * n if at_s is None else at_s)
    return Interaction(user_id, epoch, n, f"{user_id}-{n}", item, kind, at, at, backfill)


def random_log(user_id: str, length: int, seed: int = 0) -> list[Interaction]:
    """Entries of every type, unevenly spaced, some out of time order."""
    random = np.random.default_rng([seed, *user_id.encode()])
    times = np.cumsum(random.exponential(1_000, size=length) - 50)
    return [
        entry(
            user_id,
            n + 1,
            int(random.integers(1, 200)),
            EventType(int(random.integers(1, 8))),
            at_s=float(times[n]),
        )
        for n in range(length)
    ]


class World:
    """One process of the service, or several on the same storage."""

    def __init__(
        self,
        states: MemoryStates | None = None,
        logs: MemoryLogs | None = None,
        unknown: Collection[int] = (),
        cache_bytes: int = 10_000_000,
    ) -> None:
        self.tower = LinearTower()
        self.stepper = Stepper(self.tower, TableOfItems(unknown), Memory(SEEN_TYPES), WIDTH)
        self.states = states or MemoryStates()
        self.logs = logs or MemoryLogs()
        self.cache = StateCache(cache_bytes)
        self.announced: list[UserState] = []
        self.service = UserEmbedding(
            stepper=self.stepper,
            states=self.states,
            logs=self.logs,
            cache=self.cache,
            announce=self.announced.extend,
        )

    def another_process(self) -> "World":
        return World(self.states, self.logs)

    def apply(self, *entries: Interaction, partition: int = 0) -> Outcome:
        return self.service.apply([Arrival(each, partition) for each in entries])


def vector_of(outcome: Outcome, user_id: str) -> Vector:
    (state,) = [state for state in outcome.states if state.user_id == user_id]
    return state.vector


def replayed(log: Sequence[Interaction]) -> UserState:
    """One person's log, one entry at a time, in a process that never stops."""
    world = World()
    for each in log:
        world.apply(each)
    return world.states.states[log[0].user_id]
