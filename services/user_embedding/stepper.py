"""The recurrence over people's logs: many people at once, one batch a round."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pyroaring import BitMap

from headrace.contracts.events import EventType
from headrace.index.encoding import Vector
from services.user_embedding.interactions import Interaction
from services.user_embedding.memory import (
    Memory,
    recent_events,
    unwanted_categories,
    unwanted_items,
)
from services.user_embedding.metrics import STEPS, UNKNOWN_ITEMS
from services.user_embedding.paths import Path, moves, padded, path_of
from services.user_embedding.states import UserState
from services.user_embedding.tower import ItemVectors, UserTower

# The sequence graph pays for few people with much before them. Measured on toy bundles of width 64
# and 2 cores, per entry: one person 0.10 ms stepped and 0.05 ms in a sequence of 256; 32 people
# 0.015 ms stepped and 0.05 ms in a sequence.
SEQUENCE_FROM = 32
SEQUENCE_PEOPLE = 3
# Bounds the memory of one call.
_SEQUENCE_LENGTH = 256


@dataclass(frozen=True)
class Run:
    """A state, and the entries of the log that follow on it without a gap."""

    state: UserState
    entries: Sequence[Interaction]


class Stepper:
    """Advances states along the log.

    A dislike and an item that nobody knows are entries like others and leave the recurrent state
    and the vector as they are. One that tells nothing of taste is passed over:
    what was taken back, taking back, and what is not wanted.
    """

    def __init__(self, tower: UserTower, items: ItemVectors, memory: Memory, width: int) -> None:
        self._tower = tower
        self._items = items
        self._memory = memory
        self._width = width

    def fresh(self, user_id: str, epoch: int = 0) -> UserState:
        """The state before the first entry of the log."""
        return UserState(
            user_id=user_id,
            epoch=epoch,
            n=0,
            state=self._tower.initial_state(1)[0],
            vector=np.zeros(self._width, dtype=np.float32),
            recent_ordinals=(),
            seen=BitMap(),
            recent_event_ids=(),
            last_occurred_at=None,
            last_accepted_at=None,
            unwanted=BitMap(),
            unwanted_categories=(),
        )

    def advance(self, runs: Sequence[Run]) -> list[UserState]:
        """The states after each run; a run has at least one entry.

        Raises: Unavailable where items' vectors cannot be had now.
        """
        if not runs:
            return []
        states, vectors = self._walk(runs)
        STEPS.inc(sum(len(run.entries) for run in runs))
        return [
            self._after(run, state, vector)
            for run, state, vector in zip(runs, states, vectors, strict=True)
        ]

    def visit(self, state: UserState, ordinals: Sequence[int]) -> UserState:
        """The state after clicks on those items that are known; its place in the log stays.

        Raises: Unavailable where items' vectors cannot be had now.
        """
        vectors, known = self._items.get(np.array(ordinals, dtype=np.int64))
        items = [ordinal for ordinal, is_known in zip(ordinals, known, strict=True) if is_known]
        if not items:
            return state
        end, vector = self._tower.sequence(
            state.state[None],
            vectors[known][None],  # [1, L, D]
            np.full((1, len(items)), EventType.CLICK, dtype=np.int64),
            np.zeros((1, len(items)), dtype=np.float32),
            np.array([len(items)], dtype=np.int64),
            ratings=np.zeros((1, len(items)), dtype=np.float32),
        )
        clicks = [(ordinal, int(EventType.CLICK)) for ordinal in items]
        return replace(
            state,
            state=end[0],
            vector=vector[0],
            recent_ordinals=self._memory.recent(state.recent_ordinals, clicks),
            seen=state.seen | BitMap(items),
        )

    def _walk(self, runs: Sequence[Run]) -> tuple[Vector, Vector]:
        """Returns: states [B, S] and vectors [B, D] after each run."""
        table, rows = self._gather(runs)
        unsorted = [path_of(run.state.last_occurred_at, run.entries, rows) for run in runs]
        # Longest first: those that go on at any point are then a prefix.
        order = sorted(range(len(runs)), key=lambda i: -len(unsorted[i]))
        paths = [unsorted[i] for i in order]
        states = np.stack([runs[i].state.state for i in order])  # [B, S]
        vectors = np.stack([runs[i].state.vector for i in order])  # [B, D]
        self._take(states, vectors, paths, table)
        back = np.argsort(order)
        return states[back], vectors[back]

    def _gather(self, runs: Sequence[Run]) -> tuple[Vector, dict[int, int]]:
        """Returns: vectors of the items that the runs step, [N, D], and the known ones' rows."""
        touched = [e.item_ordinal for run in runs for e in run.entries if moves(e)]
        ordinals, counts = np.unique(np.array(touched, dtype=np.int64), return_counts=True)
        table, known = self._items.get(ordinals)
        UNKNOWN_ITEMS.inc(int(counts[~known].sum()))
        return table, {int(ordinals[row]): int(row) for row in np.flatnonzero(known)}

    def _take(self, states: Vector, vectors: Vector, paths: Sequence[Path], table: Vector) -> None:
        """Takes all paths, longest first, to their ends; writes into `states` and `vectors`.

        The k-th entry of everybody together, until few are left with much before them.
        """
        longest = len(paths[0])
        for k in range(longest):
            now = [path for path in paths if len(path) > k]
            going = len(now)
            if going <= SEQUENCE_PEOPLE and longest - k >= SEQUENCE_FROM:
                rest = [path.part(k, longest) for path in now]
                self._sequence(states[:going], vectors[:going], rest, table)
                return
            states[:going], vectors[:going] = self._tower.step(
                states[:going],
                table[[path.rows[k] for path in now]],
                np.array([path.types[k] for path in now], dtype=np.int64),
                np.array([path.gaps[k] for path in now], dtype=np.float32),
                ratings=np.array([path.ratings[k] for path in now], dtype=np.float32),
            )

    def _sequence(
        self, states: Vector, vectors: Vector, paths: Sequence[Path], table: Vector
    ) -> None:
        """As `_take`, with the sequence graph, in chunks."""
        for start in range(0, len(paths[0]), _SEQUENCE_LENGTH):
            chunks = [path.part(start, start + _SEQUENCE_LENGTH) for path in paths]
            now = [chunk for chunk in chunks if len(chunk)]
            going = len(now)
            rows, types, gaps, ratings, lengths = padded(now)
            states[:going], vectors[:going] = self._tower.sequence(
                states[:going], table[rows], types, gaps, lengths, ratings=ratings
            )

    def _after(self, run: Run, state: Vector, vector: Vector) -> UserState:
        before, last = run.state, run.entries[-1]
        standing = [entry for entry in run.entries if entry.stands]
        times = [entry.occurred_at for entry in standing if entry.tells]
        touches = [(entry.item_ordinal, entry.type) for entry in standing if not entry.category]
        return UserState(
            user_id=before.user_id,
            epoch=before.epoch,
            n=last.n,
            # Copies: a row would keep the whole matrix alive in the cache.
            state=state.copy(),
            vector=vector.copy(),
            recent_ordinals=self._memory.recent(before.recent_ordinals, touches),
            seen=self._memory.seen(before.seen, touches),
            recent_event_ids=recent_events(
                before.recent_event_ids, [entry.event_id for entry in run.entries]
            ),
            last_occurred_at=times[-1] if times else before.last_occurred_at,
            last_accepted_at=None if last.backfill else last.accepted_at,
            unwanted=unwanted_items(before.unwanted, touches),
            unwanted_categories=unwanted_categories(
                before.unwanted_categories,
                [entry.category for entry in standing if entry.category],
            ),
        )
