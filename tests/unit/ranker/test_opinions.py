"""What the ranker thinks of items that somebody else has found."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from headrace.api.ranker.v1.scoring_pb2 import NearestItemsRequest
from headrace.contracts.filters import Condition, OneCategory
from headrace.errors import FailedPrecondition, Unavailable
from headrace.index.encoding import to_bytes
from services.ranker.opinions import Opinions
from services.ranker.scoring import Scorer
from services.ranker.scoring_grpc import ScoringServicer
from tests.unit.ranker.world import EarlyPreference, World, direction, item, nothing_counted, user


class Thinking(World):
    """A world with opinions."""

    def __init__(self) -> None:
        super().__init__()
        self.opinions = Opinions(
            model_version="m1",
            catalogue=self.catalogue,
            retrieval=self.retrieval,
            similar=self.similar,
            scorer=Scorer(EarlyPreference(), self.catalogue, nothing_counted()),
            people=self.people,
            threads=ThreadPoolExecutor(1),
            loaded=lambda: self.loaded,
        )

    async def scores(self, user_id: str, *item_ids: str) -> dict[str, float]:
        return await self.opinions.scores(user_id, item_ids)

    async def nearest(self, n: int = 3, category: str | None = None) -> list[str]:
        condition = (
            None if category is None else Condition(category=OneCategory(one_of=(category,)))
        )
        found = await self.opinions.nearest(direction(1), "m1", n, condition)
        return [one.item_id for one in found]


async def test_items_of_the_category_a_person_likes_score_higher() -> None:
    world = Thinking()
    world.embedding.vectors["ann"] = user("ann", towards=1)
    scores = await world.scores("ann", "i4", "i5", "i1")
    assert scores["i1"] > scores["i5"] > scores["i4"]
    assert all(0 <= score <= 1 for score in scores.values())


async def test_what_is_unknown_or_hidden_is_passed_over() -> None:
    world = Thinking()
    world.embedding.vectors["ann"] = user("ann", towards=1)
    world.catalogue.apply([item(5, revision=2, deleted=True)])
    assert set(await world.scores("ann", "i1", "i5", "never")) == {"i1"}
    assert await world.scores("ann", "never") == {}


async def test_of_a_stranger_nothing_is_thought() -> None:
    assert await Thinking().scores("stranger", "i1") == {}


async def test_without_user_embedding_or_catalogue_there_is_no_opinion() -> None:
    world = Thinking()
    world.embedding.away = True
    with pytest.raises(Unavailable):
        await world.scores("ann", "i1")
    world.loaded = False
    with pytest.raises(Unavailable, match="being loaded"):
        await world.nearest()


async def test_the_nearest_to_a_vector_are_visible_and_pass_the_filter() -> None:
    world = Thinking()
    world.catalogue.apply([item(1, revision=2, deleted=True), item(5, expire_at=1.0, revision=2)])
    found = await world.nearest(4)
    assert {int(one[1:]) % 4 for one in found} == {1}
    assert not {"i1", "i5"} & set(found)
    assert {int(one[1:]) % 4 for one in await world.nearest(4, "tea")} == {0}
    assert await world.nearest(4, "wine") == []


async def test_what_is_nearest_shows_its_picture() -> None:
    world = Thinking()
    world.catalogue.apply([item(9, picture_url="/nine.jpg", revision=2)])
    servicer = ScoringServicer(world.opinions, width=len(direction(1)))
    request = NearestItemsRequest(
        vector=to_bytes(direction(1)), width=len(direction(1)), model_version="m1", n=10
    )
    answer = await servicer.NearestItems(request, cast("Any", None))
    assert {one.item_id: one.picture_url for one in answer.items if one.picture_url} == {
        "i9": "/nine.jpg"
    }


async def test_a_vector_of_another_model_is_refused() -> None:
    with pytest.raises(FailedPrecondition, match="'m2'"):
        await Thinking().opinions.nearest(direction(1), "m2", 3, None)
