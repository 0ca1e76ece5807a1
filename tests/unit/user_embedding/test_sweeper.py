"""Which people are swept, in what pieces, and what a failure leaves for the next time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from headrace.errors import Unavailable
from headrace.runtime.share import Share
from services.user_embedding.interactions import Mark
from services.user_embedding.sweeper import Sweeper
from tests.unit.user_embedding.worlds import START


class Lagging:
    """People behind their logs, with the time of the last change."""

    def __init__(self, changes: dict[str, datetime]) -> None:
        self.changes = changes
        self.clock = START
        self.repaired: list[str] = []
        self.away = False

    def repair(self, user_ids: Sequence[str]) -> None:
        if self.away:
            raise Unavailable("storage is away")
        self.repaired.extend(user_ids)
        for user in user_ids:
            del self.changes[user]

    def now(self) -> datetime:
        return self.clock

    def behind(self, after: str, settled_s: float, limit: int) -> Sequence[str]:
        return sorted(user for user in self.changes if user > after)[:limit]

    def behind_lately(self, since: Mark, settled_s: float, limit: int) -> Sequence[Mark]:
        settled = self.clock - timedelta(seconds=settled_s)
        marks = sorted(
            (at, user)
            for user, at in self.changes.items()
            if (at, user) > (since.updated_at, since.user_id) and at < settled
        )
        return [Mark(at, user) for at, user in marks[:limit]]


def sweeper(logs: Lagging) -> Sweeper:
    return Sweeper(logs, logs.repair, Share(1.0))


def test_a_start_sweeps_everybody_in_pieces() -> None:
    logs = Lagging({f"user-{i:04}": START - timedelta(days=9) for i in range(90)})
    some = sweeper(logs).sweep_some
    assert [some(), some(), some()] == [True, True, False]
    assert len(logs.repaired) == 90


def test_one_sweep_goes_on_until_nobody_is_left() -> None:
    logs = Lagging({f"user-{i:04}": START - timedelta(days=9) for i in range(450)})
    sweeper(logs).sweep()
    assert len(logs.repaired) == 450


def test_a_sweep_that_is_told_to_stop_leaves_the_rest() -> None:
    logs = Lagging({f"user-{i:04}": START - timedelta(days=9) for i in range(450)})
    mine = sweeper(logs)
    mine.stop()
    mine.sweep()
    assert len(logs.repaired) == 40


def test_nothing_is_swept_while_it_cannot_be_done() -> None:
    logs = Lagging({"ada": START - timedelta(days=9)})
    Sweeper(logs, logs.repair, Share(1.0), may_sweep=lambda: False).sweep()
    assert logs.repaired == []


def test_later_only_what_changed_lately_is_swept() -> None:
    logs = Lagging({})
    mine = sweeper(logs)
    mine.sweep()
    logs.changes = {"old": START - timedelta(days=9), "late": START + timedelta(seconds=1)}
    logs.clock = START + timedelta(seconds=60)
    mine.sweep()
    assert logs.repaired == ["late"]


def test_a_log_that_just_changed_is_left_to_the_consumer() -> None:
    logs = Lagging({})
    mine = sweeper(logs)
    mine.sweep()
    logs.changes = {"ada": START}
    mine.sweep()
    assert logs.repaired == []
    logs.clock = START + timedelta(seconds=10)
    mine.sweep()
    assert logs.repaired == ["ada"]


def test_who_could_not_be_repaired_is_found_again() -> None:
    logs = Lagging({})
    mine = sweeper(logs)
    mine.sweep()
    logs.changes = {"ada": START + timedelta(seconds=1)}
    logs.clock = START + timedelta(seconds=30)
    logs.away = True
    with pytest.raises(Unavailable):
        mine.sweep()
    logs.away = False
    logs.clock = START + timedelta(seconds=900)
    mine.sweep()
    assert logs.repaired == ["ada"]
