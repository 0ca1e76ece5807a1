"""Background work: the sweep that fills gaps, and the thread that repeats it."""

import threading

from headrace.bundle import ItemContent
from headrace.errors import Unavailable
from services.item_embedding.periodic import Periodic
from services.item_embedding.sweeper import Sweeper
from tests.unit.item_embedding.memory import LengthTower, MemoryCatalogue, MemoryVectors

DEADLINE_S = 10.0


def sweeper_over(item_count: int) -> tuple[Sweeper, MemoryCatalogue, MemoryVectors]:
    catalogue = MemoryCatalogue()
    catalogue.upsert([ItemContent(f"i{i}", "A title") for i in range(item_count)])
    vectors = MemoryVectors(catalogue)

    def publish() -> None:
        vectors.publish(lambda _embedded: None, limit=100_000)

    return Sweeper(vectors, LengthTower(), publish), catalogue, vectors


def test_the_first_sweep_embeds_and_publishes_the_whole_catalogue() -> None:
    sweeper, _, vectors = sweeper_over(2_500)
    assert not sweeper.complete()
    sweeper.sweep()
    assert sweeper.complete()
    assert len(vectors.published) == 2_500


def test_later_sweeps_leave_what_just_changed_to_the_consumer() -> None:
    sweeper, catalogue, vectors = sweeper_over(1)
    sweeper.sweep()
    catalogue.upsert([ItemContent("new", "A title")])
    sweeper.sweep()
    assert vectors.count().lacking == 1


def test_a_sweep_that_is_told_to_stop_does_not_count_as_complete() -> None:
    sweeper, _, _ = sweeper_over(1)
    sweeper.stop()
    sweeper.sweep()
    assert not sweeper.complete()


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
