"""The work of `headrace rebuild`: one step after the other, each in small transactions."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from headrace.errors import FailedPrecondition
from headrace.rebuild.record import Mark, advance, begin
from headrace.rebuild.steps import Step
from headrace.store.database import Database

_CHUNK = 2_000
# Asking how much is left reads a whole table: at most a tenth of the time.
_LOOK_SHARE = 9.0
_LOOK_S = 0.5


@dataclass(frozen=True)
class Progress:
    """Of one step. done and total in units; seconds: since this run took it up."""

    step: Step
    done: int
    total: int
    seconds: float
    finished: bool


class Rebuild:
    """One run; another one goes on where it ended.

    room: so many may be with a step's owner at a time. People among them are told `pending` where
        they wait for an event, and get lists from the state before.
    patience_s: so long the owner may do nothing.
    """

    def __init__(
        self,
        database: Database,
        model_version: str,
        steps: Sequence[Step],
        report: Callable[[Progress], None],
        *,
        room: int = 20_000,
        patience_s: float = 600.0,
    ) -> None:
        self._database = database
        self._model_version = model_version
        self._steps = {step.name: step for step in steps}
        self._report = report
        self._room = room
        self._patience_s = patience_s

    def run(self, *, anew: bool = False) -> None:
        """anew: also where one has not ended.

        Raises: Unavailable while Postgres is away; FailedPrecondition where an owner does nothing.
        """
        with self._database.transaction() as cursor:
            marks = begin(cursor, self._model_version, list(self._steps), anew=anew)
        for mark in marks:
            if not mark.finished:
                self._rebuild(self._steps[mark.step], mark)

    def _rebuild(self, step: Step, mark: Mark) -> None:
        began = moved_at = time.monotonic()
        with self._database.transaction() as cursor:
            total = max(step.total(cursor), mark.given)
        least, all_given = total, False
        while True:
            looked_at = time.monotonic()
            with self._database.transaction() as cursor:
                outstanding = step.outstanding(cursor)
            now = time.monotonic()
            finished = all_given and not outstanding
            done = max(0, mark.given - outstanding)
            self._report(Progress(step, done, total, now - began, finished))
            if finished:
                with self._database.transaction() as cursor:
                    advance(cursor, self._model_version, replace(mark, finished=True))
                return
            given = mark.given
            while not all_given and outstanding + mark.given - given < self._room:
                mark, all_given = self._give(step, mark)
            if outstanding < least or mark.given > given:
                least, moved_at = outstanding, now
            elif now - moved_at > self._patience_s:
                raise FailedPrecondition(
                    f"{step.owner} has done nothing for {self._patience_s:.0f} s, and "
                    f"{outstanding:,} {step.unit} are left: does it run? Start again to go on"
                )
            if step.owner:
                time.sleep(max(_LOOK_S, _LOOK_SHARE * (now - looked_at)))

    def _give(self, step: Step, mark: Mark) -> tuple[Mark, bool]:
        """Returns: the mark after one chunk, and whether that was the last."""
        with self._database.transaction() as cursor:
            chunk = step.give(cursor, mark.after, _CHUNK)
            after = replace(mark, after=chunk.last, given=mark.given + chunk.size)
            advance(cursor, self._model_version, after)
        return after, chunk.size == 0
