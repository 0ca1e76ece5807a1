"""First lists follow what people said they like; later ones what they did."""

from dataclasses import replace

from services.gateway.accounts.interests import WarmUp
from services.gateway.lists import RankedList
from services.gateway.models import RecommendationRequest
from tests.unit.gateway.memory import World, ids


class SaidInterests:
    """What people said, by id."""

    def __init__(self, **said: tuple[str, ...]) -> None:
        self._said = said
        self.asked: list[str] = []

    async def of(self, user_id: str) -> tuple[str, ...]:
        self.asked.append(user_id)
        return self._said.get(user_id, ())


async def _cold(request: RecommendationRequest) -> RankedList:
    """Without an event of anybody: everybody gets what is popular, 1 to 6."""
    return await World().ranker.recommend(request.model_copy(update={"user_id": None}))


INTERESTS = SaidInterests(u_ann=("Drama",), u_bob=("Drama", "Action"), u_cy=("Opera",))


async def _list(request: RecommendationRequest) -> list[str]:
    ranked = await WarmUp(_cold, INTERESTS).recommend(request)
    return ids(ranked.items)


async def test_somebody_without_history_sees_their_categories_first() -> None:
    assert await _list(RecommendationRequest(user_id="u_ann", n=5)) == ["2", "4", "6", "1", "3"]


async def test_interests_take_turns() -> None:
    assert await _list(RecommendationRequest(user_id="u_bob", n=4)) == ["2", "1", "4", "3"]


async def test_a_category_without_items_leaves_what_is_liked_in_general() -> None:
    assert await _list(RecommendationRequest(user_id="u_cy", n=3)) == ["1", "2", "3"]


async def test_what_is_left_out_stays_out() -> None:
    request = RecommendationRequest(user_id="u_ann", n=3, exclude=["2", "1"])
    assert await _list(request) == ["4", "6", "3"]


async def test_who_asks_for_a_category_or_looks_around_gets_that() -> None:
    category = RecommendationRequest(user_id="u_ann", n=2, category="Action")
    assert await _list(category) == ["1", "3"]
    visit = RecommendationRequest(user_id="u_ann", n=2, session=["1"])
    assert await _list(visit) == ["2", "3"]
    trending = RecommendationRequest(user_id="u_ann", n=2, kind="trending")
    assert await _list(trending) == ["1", "2"]
    arranged = RecommendationRequest(user_id="u_ann", n=2, diversity=0.5)
    assert await _list(arranged) == ["1", "2"]


async def test_interests_end_where_history_begins() -> None:
    world = World()
    interests = SaidInterests(u_ann=("Drama",))
    warm = WarmUp(world.ranker.recommend, interests)
    request = RecommendationRequest(user_id="u_ann", n=3)
    assert ids((await warm.recommend(request)).items) == ["6", "5", "4"]
    assert interests.asked == []  # nothing is looked up for those who have a history


async def test_a_degraded_list_stays_as_it_is() -> None:
    async def degraded(request: RecommendationRequest) -> RankedList:
        return replace(await _cold(request), degraded="user_embedding_unavailable")

    ranked = await WarmUp(degraded, INTERESTS).recommend(
        RecommendationRequest(user_id="u_ann", n=3)
    )
    assert ids(ranked.items) == ["1", "2", "3"]
