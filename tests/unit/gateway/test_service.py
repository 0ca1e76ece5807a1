"""What the gateway decides."""

import pytest

from headrace.contracts.events import NewEvent
from headrace.errors import HeadraceError, InvalidInput, NotFound, Unavailable
from services.gateway.events.service import EventsNotConfirmed
from services.gateway.lists import Unwanted
from services.gateway.models import RecommendationRequest
from tests.unit.gateway.memory import MemoryImpressions, World, film, ids


async def test_events_keep_their_ids_and_get_one_where_they_have_none(world: World) -> None:
    events = [
        NewEvent(event_id="mine", user_id="u", item_id="1", type="click"),
        NewEvent(user_id="u", item_id="2", type="click"),
    ]
    event_ids = await world.gateway.events.record(events)
    assert event_ids[0] == "mine"
    assert len(event_ids[1]) == 32
    assert [one.event_id for one in world.event_log.events] == event_ids


async def test_events_that_are_not_confirmed_come_back_with_their_ids(world: World) -> None:
    world.event_log.away = True
    with pytest.raises(EventsNotConfirmed, match="same event_ids") as refused:
        await world.gateway.events.record([NewEvent(user_id="u", item_id="1", type="click")])
    assert len(refused.value.event_ids) == 1


async def test_a_list_is_the_rankers_while_it_answers(world: World) -> None:
    ranked = await world.gateway.lists.recommend(RecommendationRequest(user_id="u", n=2))
    assert ids(ranked.items) == ["6", "5"]
    assert ranked.degraded is None


async def test_a_degraded_list_passes_through(world: World) -> None:
    world.ranker.degraded = "user_embedding_unavailable"
    ranked = await world.gateway.lists.recommend(RecommendationRequest(user_id="u"))
    assert ranked.degraded == "user_embedding_unavailable"


async def test_without_ranker_a_person_gets_their_last_list_then_popular_items(
    world: World,
) -> None:
    await world.gateway.lists.refresh_popular()
    await world.gateway.lists.recommend(RecommendationRequest(user_id="u", n=2))
    world.lose_ranker()
    ranked = await world.gateway.lists.recommend(RecommendationRequest(user_id="u", n=4, after="e"))
    assert ids(ranked.items) == ["6", "5", "1", "2"]
    assert ranked.degraded == "ranker_unavailable"
    assert ranked.after == "unknown"


async def test_without_ranker_others_get_popular_items_as_they_asked(world: World) -> None:
    await world.gateway.lists.refresh_popular()
    world.lose_ranker()
    ranked = await world.gateway.lists.recommend(
        RecommendationRequest(category="Drama", exclude=["2"], session=["4"])
    )
    assert ids(ranked.items) == ["6"]


async def test_without_ranker_and_memory_there_is_no_list(world: World) -> None:
    world.lose_ranker()
    with pytest.raises(Unavailable, match="no such list is known"):
        await world.gateway.lists.recommend(RecommendationRequest())


@pytest.mark.parametrize("failure", [HeadraceError("INTERNAL"), Unavailable("slow")])
async def test_a_broken_ranker_counts_as_away(world: World, failure: HeadraceError) -> None:
    await world.gateway.lists.refresh_popular()
    world.ranker.failure = failure
    ranked = await world.gateway.lists.recommend(RecommendationRequest(user_id="u"))
    assert ranked.degraded == "ranker_unavailable"


async def test_what_the_ranker_refuses_is_the_callers_fault(world: World) -> None:
    await world.gateway.lists.refresh_popular()
    world.ranker.failure = InvalidInput.of("category", "is unknown")
    with pytest.raises(InvalidInput, match="category"):
        await world.gateway.lists.recommend(RecommendationRequest(category="x"))


async def test_after_three_failures_requests_do_not_wait_for_the_ranker(world: World) -> None:
    await world.gateway.lists.refresh_popular()
    world.lose_ranker()
    before = world.ranker.calls
    for _ in range(10):
        await world.gateway.lists.recommend(RecommendationRequest())
    assert world.ranker.calls - before == 3
    with pytest.raises(Unavailable):
        await world.gateway.lists.similar("1", 5, None)
    assert world.ranker.calls - before == 3


async def test_a_ranker_that_is_back_is_used_after_a_pause(world: World) -> None:
    await world.gateway.lists.refresh_popular()
    world.lose_ranker()
    for _ in range(5):
        await world.gateway.lists.recommend(RecommendationRequest())
    world.ranker.failure = None
    assert (await world.gateway.lists.recommend(RecommendationRequest())).degraded
    world.clock.now += 1.1
    assert (await world.gateway.lists.recommend(RecommendationRequest())).degraded is None


async def test_a_deleted_item_is_in_no_list_though_the_ranker_still_has_it(world: World) -> None:
    await world.gateway.lists.refresh_popular()
    await world.gateway.items.delete("2")
    popular = await world.gateway.lists.recommend(RecommendationRequest(n=3))
    similar = await world.gateway.lists.similar("1", 3, None)
    assert ids(popular.items) == ["1", "3", "4"]
    assert ids(similar.items) == ["3", "4", "5"]
    with pytest.raises(NotFound):
        await world.gateway.lists.similar("2", 3, None)
    world.lose_ranker()
    remembered = await world.gateway.lists.recommend(RecommendationRequest(n=3))
    assert ids(remembered.items) == ["1", "3", "4"]


async def test_what_a_person_does_not_want_is_not_in_lists_made_without_their_vector(
    world: World,
) -> None:
    await world.gateway.lists.refresh_popular()
    request = RecommendationRequest(user_id="u", n=2)
    await world.gateway.lists.recommend(request)
    world.unwanted.said["u"] = Unwanted(frozenset({"6"}), frozenset({"Action"}))
    world.ranker.degraded = "user_embedding_unavailable"
    whole = await world.gateway.lists.recommend(RecommendationRequest(user_id="u", n=6))
    assert ids(whole.items) == ["4", "2"]
    world.lose_ranker()
    assert ids((await world.gateway.lists.recommend(request)).items) == ["2", "4"]
    others = await world.gateway.lists.recommend(RecommendationRequest(user_id="other", n=2))
    assert ids(others.items) == ["1", "2"]


async def test_an_item_that_is_stored_again_is_listed_again(world: World) -> None:
    await world.gateway.items.delete("2")
    await world.gateway.items.upsert([film(2)])
    assert "2" in ids((await world.gateway.lists.recommend(RecommendationRequest())).items)


async def test_an_item_given_twice_refuses_the_request(world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        await world.gateway.items.upsert([film(8), film(9), film(8)])
    assert [violation.field for violation in refused.value.violations] == ["items[2].item_id"]
    assert "8" not in world.catalogue.items


async def test_every_list_that_is_served_is_an_impression() -> None:
    impressions = MemoryImpressions()
    world = World(impressions=impressions)
    await world.gateway.items.delete("5")
    listed = await world.gateway.lists.recommend(RecommendationRequest(user_id="u", n=3))
    near = await world.gateway.lists.similar("1", 2, None)
    shown, similar = impressions.lists
    assert (shown.user_id, shown.kind, shown.items) == ("u", "for_you", listed.items)
    assert (shown.model_version, shown.personal) == (listed.model_version, True)
    assert "5" not in ids(shown.items)
    assert (similar.user_id, similar.kind, similar.items) == (None, "similar", near.items)


async def test_what_the_gateway_fetches_for_itself_is_no_impression() -> None:
    impressions = MemoryImpressions()
    world = World(impressions=impressions)
    await world.gateway.lists.refresh_popular()
    assert impressions.lists == []
    world.lose_ranker()
    await world.gateway.lists.recommend(RecommendationRequest())
    assert [shown.degraded for shown in impressions.lists] == ["ranker_unavailable"]
