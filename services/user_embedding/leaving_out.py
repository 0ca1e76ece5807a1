"""What a person's vector would be without one of their last items: why a list is as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.user_embedding.interactions import Interaction
from services.user_embedding.states import UserState
from services.user_embedding.stepper import Run, Stepper
from services.user_embedding.storage import Logs

_PAGE = 256
# What was done with an item before these entries stays: 20 runs of 128 take about 40 ms.
_TAIL = 128


@dataclass(frozen=True)
class LeftOut:
    """whole: with everything. without: the states without each item, by its ordinal."""

    whole: UserState
    without: Mapping[int, UserState]


class LeavingOut:
    """Replays a person's log; nothing is stored."""

    def __init__(self, logs: Logs, stepper: Stepper) -> None:
        self._logs = logs
        self._stepper = stepper

    def each(self, user_id: str, items: int) -> LeftOut:
        """Without each of the last `items` items, one at a time.

        Raises: Unavailable where the log or items' vectors cannot be read now.
        """
        base, tail = self._tail(user_id)
        whole = self._after(base, tail)
        runs = {
            ordinal: [entry for entry in tail if entry.item_ordinal != ordinal]
            for ordinal in whole.recent_ordinals[-items:]
        }
        moved = [Run(base, rest) for rest in runs.values() if rest]
        ends = iter(self._stepper.advance(moved))
        return LeftOut(
            whole, {ordinal: next(ends) if rest else base for ordinal, rest in runs.items()}
        )

    def _tail(self, user_id: str) -> tuple[UserState, list[Interaction]]:
        """The state before the last entries, and these."""
        base = reader = self._stepper.fresh(user_id)
        tail: list[Interaction] = []
        while True:
            page = self._logs.pages([reader], _PAGE).get(user_id)
            if page is None:
                return base, tail
            if page.epoch > reader.epoch:
                base, tail = self._stepper.fresh(user_id, page.epoch), []
            tail += page.entries
            base, tail = self._after(base, tail[:-_TAIL]), tail[-_TAIL:]
            if not page.more or not page.entries:
                return base, tail
            reader = replace(base, n=page.entries[-1].n)

    def _after(self, state: UserState, entries: list[Interaction]) -> UserState:
        return self._stepper.advance([Run(state, entries)])[0] if entries else state
