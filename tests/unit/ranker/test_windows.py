"""Items with a moment to publish or to expire them."""

from services.ranker.query import RecommendQuery, SimilarQuery
from tests.unit.ranker.world import World, item


async def test_an_item_appears_and_disappears_at_its_moments() -> None:
    world = World(items=4)
    world.catalogue.apply([item(1, revision=2, publish_at=1_100, expire_at=1_200)])

    async def shown() -> bool:
        items = (await world.ranker.recommend(RecommendQuery(n=4))).items
        near = (await world.ranker.similar(SimilarQuery(item_id="i2", n=3))).items
        in_both = {"i1" in [one.item_id for one in part] for part in (items, near)}
        assert len(in_both) == 1
        return in_both.pop()

    moments = {1_000: False, 1_099.9: False, 1_100: True, 1_199.9: True, 1_200: False}
    for now, expected in moments.items():
        world.now = now
        assert await shown() is expected, now
    assert world.catalogue.ordinal("i1") is None


async def test_a_change_of_the_moments_counts_at_once() -> None:
    world = World(items=4)
    world.catalogue.apply([item(1, revision=2, expire_at=900)])
    assert world.catalogue.ordinal("i1") is None
    world.catalogue.apply([item(1, revision=3, expire_at=2_000)])
    assert world.catalogue.ordinal("i1") == 1
    world.catalogue.apply([item(1, revision=4)])
    world.now = 3_000
    assert world.catalogue.ordinal("i1") == 1
    world.catalogue.apply(
        [item(1, revision=5, publish_at=4_000), item(1, revision=6, deleted=True)]
    )
    world.now = 5_000
    assert world.catalogue.ordinal("i1") is None
