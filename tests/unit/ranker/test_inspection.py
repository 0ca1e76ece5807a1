"""What is told about a list is what happened, and looking changes nothing."""

from collections.abc import Mapping
from typing import Any

import pytest

from headrace.api.ranker.v1 import inspection_pb2, ranker_pb2
from services.ranker.answers import Recommendation, Source
from services.ranker.inspecting import CandidateTold, Inspection, StepTold
from services.ranker.inspection_grpc import inspection_message
from services.ranker.query import RecommendQuery
from tests.unit.ranker.world import World, item, user

COFFEE = {"category": {"one_of": ["coffee"]}}
NOT_COFFEE = {"none": [COFFEE]}


async def look(world: World, **query: Any) -> tuple[Recommendation, Inspection]:
    asked = {"user_id": "ann", "n": 5, **query}
    return await world.ranker.inspect(RecommendQuery.model_validate(asked))


def fond_of_coffee(**more: Any) -> World:
    world = World(**more)
    world.embedding.vectors["ann"] = user("ann", towards=1, seen=[1, 5], recent=[1, 5])
    return world


def by_name(inspection: Inspection) -> Mapping[str, StepTold]:
    return {step.step: step for step in inspection.steps}


def by_id(inspection: Inspection) -> Mapping[str, CandidateTold]:
    return {one.item.item_id: one for one in inspection.candidates}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"n": 40},
        {"category": "coffee"},
        {"filter": NOT_COFFEE, "exclude": ["i0"]},
        {"kind": "new"},
        {"kind": "trending"},
        {"kind": "people_like_you"},
        {"kind": "similar", "items": ["i3"]},
        {"user_id": None, "session": ["i2"]},
        {"user_id": None},
        {"boost": [{"filter": NOT_COFFEE, "factor": 40}], "cursor": ""},
        {"diversity": 0.7, "max_per_category": 2},
        {"pin": [{"item_id": "i7", "position": 2}], "include_seen": True},
        {"explain": True},
    ],
)
async def test_the_list_that_is_looked_into_is_the_list_that_is_served(
    query: dict[str, Any],
) -> None:
    world = fond_of_coffee()
    inspected, inspection = await look(world, **query)
    asked = RecommendQuery.model_validate({"user_id": "ann", "n": 5, **query})
    served = await world.ranker.recommend(asked)
    assert served.items == inspected.items
    assert served.next_cursor == inspected.next_cursor
    placed = sorted(one.place for one in inspection.candidates if one.place)
    assert placed == list(range(1, len(served.items) + 1))
    for place, shown in enumerate(served.items, 1):
        told = by_id(inspection)[shown.item_id]
        assert (told.place, told.source) == (place, shown.source)
        final = told.score if told.boosted_score is None else told.boosted_score
        assert final == pytest.approx(shown.score)
    assert sum(one.found for one in inspection.sources) == inspection.found


async def test_each_step_tells_what_it_took_and_what_of_it_would_have_come_first() -> None:
    world = fond_of_coffee()
    world.catalogue.apply([item(39, revision=2, deleted=True)])
    _, inspection = await look(world, category="coffee", exclude=["i9"], n=3)
    steps = by_name(inspection)
    assert (steps["hidden"].removed, steps["hidden"].kept) == (1, 39)
    assert [one.item_id for one in steps["hidden"].examples] == ["i39"]
    assert (steps["category"].removed, steps["category"].kept) == (29, 10)
    assert (steps["filter"].removed, steps["filter"].kept) == (0, 10)
    assert (steps["seen"].removed, steps["seen"].kept) == (2, 8)
    assert {one.item_id for one in steps["seen"].examples} == {"i1", "i5"}
    assert (steps["exclude"].removed, steps["exclude"].kept) == (1, 7)
    _, filtered = await look(world, filter=NOT_COFFEE)
    examples = [one.item_id for one in by_name(filtered)["filter"].examples]
    assert set(examples) == {"i1", "i5", "i9", "i13", "i17"}  # the nearest that it took


async def test_candidates_have_their_ranks_before_and_after_the_head() -> None:
    answer, inspection = await look(fond_of_coffee(candidates=6), n=2)
    assert [one.item.item_id for one in inspection.candidates][:2] == [
        one.item_id for one in answer.items
    ]
    # This head prefers what retrieval found last.
    assert [one.rank for one in inspection.candidates] == [1, 2, 3, 4, 5, 6]
    assert [one.retrieval_rank for one in inspection.candidates] == [6, 5, 4, 3, 2, 1]
    assert [one.left_out for one in inspection.candidates] == [()] * 2 + [("rank",)] * 4
    assert inspection.sources == ((Source.RETRIEVAL, 6, 2),)


async def test_the_person_is_told_as_the_list_knew_them() -> None:
    _, inspection = await look(fond_of_coffee())
    person = inspection.person
    assert person is not None
    assert (person.n, person.has_vector, person.seen) == (1, True, 2)
    assert [one.item_id for one in person.recent] == ["i5", "i1"]
    _, inspection = await look(World(), user_id=None)
    assert inspection.person is None


async def test_a_limit_tells_whom_it_kept_out() -> None:
    answer, inspection = await look(fond_of_coffee(candidates=40), max_per_category=1, n=4)
    step = by_name(inspection)["max_per_category"]
    assert step.removed == len(by_id(inspection)) - 4
    kept_out = [one for one in inspection.candidates if one.left_out]
    assert {one.left_out for one in kept_out} == {("max_per_category",)}
    assert len(answer.items) == 4


async def test_diversity_tells_whom_it_passed_over() -> None:
    answer, inspection = await look(fond_of_coffee(candidates=40), diversity=0.9, n=4)
    step = by_name(inspection)["diversity"]
    assert step.removed + step.moved > 0
    shown = {one.item_id for one in answer.items}
    for one in inspection.candidates:
        assert ("diversity" in one.left_out) <= (one.item.item_id not in shown)


async def test_boosts_and_pins_tell_what_they_moved() -> None:
    boost = [{"filter": NOT_COFFEE, "factor": 40}]
    pin = [{"item_id": "i17", "position": 1}, {"item_id": "nothing", "position": 2}]
    _, inspection = await look(fond_of_coffee(candidates=8), boost=boost, pin=pin, n=5)
    steps = by_name(inspection)
    lifted = [one for one in inspection.candidates if one.categories != ("coffee",)]
    assert steps["boost[0]"].moved == len(lifted) > 0
    assert all((one.boosted_score or 0) > one.score for one in lifted)
    assert steps["pin"].moved == 1
    assert by_id(inspection)["i17"].place == 1
    assert by_id(inspection)["i17"].source is Source.PINNED
    displaced = [one for one in inspection.candidates if one.left_out == ("pin",)]
    assert [one.boosted_rank for one in displaced] == [5]


async def test_what_is_drawn_passes_over_the_best() -> None:
    _, inspection = await look(fond_of_coffee(candidates=40), explore=1.0, n=20)
    step = by_name(inspection)["explore"]
    assert step.removed + step.moved > 0


async def test_an_item_that_vanishes_meanwhile_is_told_where_the_list_stays_without_it() -> None:
    world = World(candidates=40, items=40, first_found_vanishes=True)
    world.embedding.vectors["ann"] = user("ann", towards=1, recent=[1])
    answer, inspection = await look(world, n=3)
    assert len(answer.items) == 3
    assert by_name(inspection)["vanished"].removed == 1


async def test_it_goes_into_a_message_as_it_is() -> None:
    _, inspection = await look(fond_of_coffee(candidates=6), n=2)
    message = inspection_message(inspection)
    assert message.found == 6
    assert message.candidates[0].place == 1
    assert not message.candidates[0].HasField("boosted_score")
    assert message.candidates[5].retrieval_rank == 1
    assert message.sources[0] == inspection_pb2.FoundBy(
        source=ranker_pb2.SOURCE_RETRIEVAL, found=6, shown=2
    )
    assert message.person.last_occurred_at.seconds == 1_001
