"""Who does not want personal lists gets what anybody gets, and leaves nothing behind."""

import httpx
import pytest

from headrace.contracts.events import NewEvent
from headrace.contracts.filters import Condition
from headrace.errors import NotFound
from services.gateway.batches.models import BatchRequest
from services.gateway.lists import Unwanted
from services.gateway.models import RecommendationRequest
from services.gateway.privacy.choices import Choices
from tests.unit.gateway.doors import READER_KEY
from tests.unit.gateway.memory import MemoryImpressions, World, ids

ANN = RecommendationRequest(user_id="ann", session=["1"], after="e1", n=3)


async def test_a_list_is_the_one_that_anybody_gets_and_says_why(world: World) -> None:
    before = await world.gateway.lists.recommend(ANN)
    world.choices.apply([("ann", False)])
    shown = await world.gateway.lists.recommend(ANN)
    anybody = await world.gateway.lists.recommend(RecommendationRequest(n=3))
    assert ids(shown.items) == ids(anybody.items) != ids(before.items)
    assert (before.personal, before.not_personal_because) == (True, None)
    assert (shown.personal, shown.not_personal_because) == (False, "personalisation_off")
    assert shown.after == "unknown"


async def test_neither_the_ranker_nor_impressions_hear_whose_list_it_is(world: World) -> None:
    impressions = MemoryImpressions()
    world.impressions = impressions
    world.__post_init__()
    world.choices.apply([("ann", False)])
    await world.gateway.lists.recommend(ANN)
    asked = world.ranker.asked[-1]
    assert (asked.user_id, asked.after, asked.session) == (None, None, [])
    assert impressions.lists[-1].user_id is None


async def test_the_last_personal_list_is_not_shown_while_the_ranker_is_away(world: World) -> None:
    await world.gateway.lists.refresh_popular()
    personal = await world.gateway.lists.recommend(RecommendationRequest(user_id="ann", n=3))
    world.choices.apply([("ann", False)])
    world.lose_ranker()
    shown = await world.gateway.lists.recommend(RecommendationRequest(user_id="ann", n=3))
    assert ids(shown.items) != ids(personal.items)
    assert shown.degraded == "ranker_unavailable"


async def test_lists_are_personal_again_from_the_moment_that_they_are_wanted(world: World) -> None:
    world.choices.apply([("ann", False)])
    world.choices.apply([("ann", True)])
    assert (await world.gateway.lists.recommend(ANN)).personal


async def test_what_the_person_does_is_accepted_and_not_kept(world: World) -> None:
    world.choices.apply([("ann", False)])
    events = [NewEvent(user_id=user, item_id="1", type="click") for user in ("ann", "bob")]
    assert len(await world.gateway.events.record(events)) == 2
    assert [one.event.user_id for one in world.event_log.events] == ["bob"]


async def test_what_they_refuse_is_kept_and_known_when_it_was_accepted(world: World) -> None:
    world.choices.apply([("ann", False)])
    refusal = NewEvent(event_id="r", user_id="ann", category="Drama", type="not_interested")
    others = NewEvent(event_id="o", user_id="bob", item_id="1", type="not_interested")
    view = NewEvent(user_id="ann", item_id="1", type="view")
    await world.gateway.events.record([refusal, others, view])
    assert [one.event for one in world.event_log.events] == [refusal, others]
    assert world.unwanted.waited == [("ann", "r")]


async def test_what_they_refused_is_left_out_of_everybodys_list(world: World) -> None:
    world.choices.apply([("ann", False)])
    world.unwanted.said["ann"] = Unwanted(frozenset({"1"}), frozenset({"Drama"}))
    shown = await world.gateway.lists.recommend(RecommendationRequest(user_id="ann", n=6))
    assert ids(shown.items) == ["3", "5"]
    (asked,) = world.ranker.asked
    assert (asked.user_id, asked.exclude) == (None, ["1"])
    assert asked.filter == Condition.model_validate({"none": [{"category": {"one_of": ["Drama"]}}]})
    preview = await world.gateway.lists.previewed(
        RecommendationRequest(user_id="ann", n=6), world.ranker.recommend
    )
    assert ids(preview.items) == ["3", "5"]
    batch = BatchRequest(user_ids=["ann", "bob"], n=6)
    (lists,) = [some async for some in world.gateway.batches.make(batch, 1)]
    assert [ids(one.items) for one in lists] == [["3", "5"], ["6", "5", "4", "3", "2", "1"]]


async def test_what_they_refused_is_left_out_while_the_ranker_is_away(world: World) -> None:
    await world.gateway.lists.refresh_popular()
    world.choices.apply([("ann", False)])
    world.unwanted.said["ann"] = Unwanted(frozenset({"1"}), frozenset({"Drama"}))
    world.lose_ranker()
    shown = await world.gateway.lists.recommend(RecommendationRequest(user_id="ann", n=2))
    assert (ids(shown.items), shown.degraded) == (["3", "5"], "ranker_unavailable")


async def test_what_somebody_refused_is_not_similar_for_them(world: World) -> None:
    world.choices.apply([("ann", False)])
    world.unwanted.said["ann"] = Unwanted(frozenset({"3"}))
    assert ids((await world.gateway.lists.similar("1", 3, None)).items) == ["2", "3", "4"]
    near = await world.gateway.lists.similar("1", 3, None, "ann")
    assert "3" not in ids(near.items)
    (asked,) = world.ranker.asked
    assert (asked.kind, asked.items, asked.include_seen) == ("similar", ("1",), True)


async def test_nobody_is_named_who_does_not_want_it(world: World) -> None:
    world.choices.apply([("like bob 1", False), ("ann", False)])
    near = await world.gateway.lists.similar_users("bob", 3)
    assert [one.user_id for one in near.users] == ["like bob 0", "like bob 2"]
    with pytest.raises(NotFound, match="does not want"):
        await world.gateway.lists.similar_users("ann", 3)


def test_until_postgres_has_told_nobody_gets_a_personal_list() -> None:
    choices = Choices()
    assert choices.why_not("bob") == "personalisation_unknown"
    assert choices.why_not(None) is None
    choices.apply([("ann", False)])
    assert (choices.why_not("ann"), choices.why_not("bob")) == ("personalisation_off", None)


async def test_the_answer_has_the_reason(http: httpx.AsyncClient, world: World) -> None:
    world.choices.apply([("ann", False)])
    for user, personal, because in (("ann", False, "personalisation_off"), ("bob", True, None)):
        path = f"/v1/users/{user}/recommendations"
        answer = (await http.get(path, headers=READER_KEY)).json()
        assert (answer["personal"], answer["not_personal_because"]) == (personal, because)
