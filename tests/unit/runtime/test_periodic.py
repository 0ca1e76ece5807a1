"""Work that is repeated, and at once where somebody asks."""

import threading

from headrace.errors import Unavailable
from headrace.local.waiting import wait_until
from headrace.runtime.periodic import Periodic

DEADLINE_S = 10.0


async def test_a_round_can_be_asked_for_and_waited_for() -> None:
    rounds = 0

    def work() -> None:
        nonlocal rounds
        rounds += 1

    periodic = Periodic("test", work, period_s=1_000.0)
    periodic.start()
    assert await periodic.run_now(DEADLINE_S)
    before = rounds
    assert await periodic.run_now(DEADLINE_S)
    assert rounds > before
    assert periodic.succeeded_within(DEADLINE_S)
    periodic.stop(DEADLINE_S)


async def test_a_failed_round_says_so_and_the_next_one_is_tried() -> None:
    failures: list[Exception] = [Unavailable("away"), RuntimeError("broken")]

    def work() -> None:
        if failures:
            raise failures.pop()

    periodic = Periodic("test", work, period_s=1_000.0)
    answers = [periodic.wake()]
    periodic.start()
    assert answers[0].result(DEADLINE_S) is False
    assert not periodic.succeeded_within(DEADLINE_S)
    assert not await periodic.run_now(DEADLINE_S)
    assert await periodic.run_now(DEADLINE_S)
    periodic.stop(DEADLINE_S)


async def test_who_waits_too_long_is_answered_all_the_same() -> None:
    going_on = threading.Event()
    periodic = Periodic("test", lambda: assert_set(going_on), period_s=1_000.0)
    periodic.start()
    assert not await periodic.run_now(within_s=0.01)
    going_on.set()
    periodic.stop(DEADLINE_S)


def assert_set(event: threading.Event) -> None:
    assert event.wait(DEADLINE_S)


def test_only_what_does_not_pass_by_itself_is_reported() -> None:
    broken = RuntimeError("broken")
    failures: list[Exception] = [broken, Unavailable("away")]
    reported: list[BaseException] = []

    def work() -> None:
        if failures:
            raise failures.pop()

    periodic = Periodic("test", work, period_s=0.001, on_failure=reported.append)
    periodic.start()
    assert wait_until(periodic.succeeded, DEADLINE_S)
    periodic.stop(DEADLINE_S)
    assert reported == [broken]


def test_rounds_that_take_long_happen_less_often() -> None:
    """Each takes 20 ms and may take a ten-thousandth of the time: the next is 200 s away."""
    rounds = threading.Semaphore(0)

    def work() -> None:
        rounds.release()
        threading.Event().wait(0.02)

    periodic = Periodic("test", work, period_s=0.001, busy_share=0.0001)
    periodic.start()
    assert rounds.acquire(timeout=DEADLINE_S)
    assert not rounds.acquire(timeout=0.2)
    periodic.stop(DEADLINE_S)
