"""Bringing states up to date from the log: after a gap, a crash, an erasure, a model switch."""

from collections.abc import Iterator, Mapping, Sequence

from services.user_embedding.interactions import Page
from services.user_embedding.metrics import REBUILDS
from services.user_embedding.states import UserState
from services.user_embedding.stepper import Run, Stepper
from services.user_embedding.storage import Logs

# Bounds of one read: about 6 MB of rows.
_USERS = 100
_ENTRIES = 256


class CatchUp:
    """Applies to states what their logs hold beyond them."""

    def __init__(self, logs: Logs, stepper: Stepper) -> None:
        self._logs = logs
        self._stepper = stepper

    def to_date(self, states: Sequence[UserState], reason: str) -> dict[str, UserState]:
        """The states at the end of their logs, by person.

        A state of an earlier epoch begins anew. People without a log keep theirs.

        Raises: Unavailable where the log or items' vectors cannot be read now.
        """
        REBUILDS.labels(reason).inc(len(states))
        current = {state.user_id: state for state in states}
        for start in range(0, len(states), _USERS):
            behind = states[start : start + _USERS]
            while behind:
                pages = self._logs.pages(behind, _ENTRIES)
                runs = list(self._runs(behind, pages))
                current.update((run.state.user_id, run.state) for run in runs)
                advanced = self._stepper.advance([run for run in runs if run.entries])
                current.update((state.user_id, state) for state in advanced)
                behind = [state for state in advanced if pages[state.user_id].more]
        return current

    def _runs(self, states: Sequence[UserState], pages: Mapping[str, Page]) -> Iterator[Run]:
        for state in states:
            page = pages.get(state.user_id)
            if page is None or page.epoch < state.epoch:
                continue
            anew = page.epoch > state.epoch
            start = self._stepper.fresh(state.user_id, page.epoch) if anew else state
            yield Run(start, page.entries)
