"""The sweep that fills gaps."""

from headrace.contracts.items import NewItem
from headrace.runtime.share import Share
from services.item_embedding.sweeper import Sweeper
from tests.unit.item_embedding.memory import LengthTower, MemoryCatalogue, MemoryVectors


def sweeper_over(item_count: int) -> tuple[Sweeper, MemoryCatalogue, MemoryVectors]:
    catalogue = MemoryCatalogue()
    catalogue.upsert([NewItem(item_id=f"i{i}", title="A title") for i in range(item_count)])
    vectors = MemoryVectors(catalogue)

    def publish() -> None:
        vectors.publish(lambda _embedded: None, limit=100_000)

    return Sweeper(vectors, LengthTower(), publish, Share(1.0)), catalogue, vectors


def test_the_first_sweep_embeds_and_publishes_the_whole_catalogue() -> None:
    sweeper, _, vectors = sweeper_over(2_500)
    assert not sweeper.complete()
    sweeper.sweep()
    assert sweeper.complete()
    assert len(vectors.published) == 2_500


def test_later_sweeps_leave_what_just_changed_to_the_consumer() -> None:
    sweeper, catalogue, vectors = sweeper_over(1)
    sweeper.sweep()
    catalogue.upsert([NewItem(item_id="new", title="A title")])
    sweeper.sweep()
    assert vectors.count().lacking == 1


def test_a_sweep_that_is_told_to_stop_does_not_count_as_complete() -> None:
    sweeper, _, _ = sweeper_over(1)
    sweeper.stop()
    sweeper.sweep()
    assert not sweeper.complete()
