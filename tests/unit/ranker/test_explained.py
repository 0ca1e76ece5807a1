"""Explanations are true to the computation."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from services.ranker.answers import USER_EMBEDDING_UNAVAILABLE, Explanation, Recommendation
from services.ranker.query import RecommendQuery
from tests.unit.ranker.world import World, mean_direction, user

TEA, COFFEE, JUICE = 0, 1, 3


class Fond(World):
    """A head that prefers what retrieval found first; ann touched `touched`, all of it seen."""

    def __init__(self, touched: Sequence[int]) -> None:
        super().__init__(candidates=40, prefers_first=True)
        ann = user("ann", n=len(touched), recent=touched, seen=touched)
        self.embedding.vectors["ann"] = ann

    async def ask(self, **query: Any) -> Recommendation:
        asked = RecommendQuery.model_validate({"user_id": "ann", "n": 5, **query})
        return await self.ranker.recommend(asked)


def log_odds(score: float) -> float:
    return math.log(score / (1 - score))


def explanations(answer: Recommendation) -> list[Explanation]:
    found = [one.explanation for one in answer.items if one.explanation is not None]
    assert len(found) == len(answer.items)
    return found


async def test_the_terms_add_up_to_the_score() -> None:
    boost = [{"filter": {"category": {"one_of": ["coffee"]}}, "factor": 3}]
    for options in ({}, {"boost": boost}, {"kind": "new"}, {"diversity": 0.2, "cursor": ""}):
        answer = await Fond([4, 8, 5]).ask(explain=True, n=20, **options)
        assert len(answer.items) == 20
        for one, why in zip(answer.items, explanations(answer), strict=True):
            total = why.anybody + why.history + why.boosts
            assert total == pytest.approx(log_odds(one.score), abs=1e-3)
            lifted = "boost" in options and one.categories == ("coffee",)
            assert why.boosts == pytest.approx(math.log(3) if lifted else 0, abs=1e-3)


async def test_an_item_is_there_because_of_those_of_its_kind() -> None:
    answer = await Fond([JUICE, 4, 8]).ask(explain=True, n=3)
    assert {one.categories for one in answer.items} == {("tea",)}
    for why in explanations(answer):
        assert [cause.item_id for cause in why.because] == ["i4", "i8"]
        assert why.because[0].title == "Title 4"
        assert all(cause.log_odds > 0 for cause in why.because)
        assert why.history > 0


@pytest.mark.parametrize("removed", [4, 5])
async def test_without_a_cause_the_score_falls_by_what_it_was_said_to_add(removed: int) -> None:
    touched = [4, 8, 5]
    answer = await Fond(touched).ask(explain=True, n=37)
    rest = [ordinal for ordinal in touched if ordinal != removed]
    without = Fond(rest)
    ann = without.embedding.vectors["ann"]
    seen = user("ann", n=2, recent=rest, seen=touched)
    object.__setattr__(ann, "vector", mean_direction(rest))
    object.__setattr__(ann, "seen", seen.seen)
    scores = {one.item_id: one.score for one in (await without.ask(n=37)).items}
    caused = 0
    for one, why in zip(answer.items, explanations(answer), strict=True):
        for cause in why.because:
            if cause.item_id == f"i{removed}":
                fall = log_odds(one.score) - log_odds(scores[one.item_id])
                assert fall == pytest.approx(cause.log_odds, abs=1e-3)
                assert scores[one.item_id] < one.score
                caused += 1
    assert caused > 0


async def test_nobody_and_visits_have_no_explanation() -> None:
    world = Fond([4])
    for query in ({"user_id": None}, {"user_id": "new"}, {"session": ["i1"]}, {"kind": "trending"}):
        answer = await world.ask(explain=True, **query)
        assert len(answer.items) == 5
        assert {one.explanation for one in answer.items} == {None}
    assert {one.explanation for one in (await world.ask()).items} == {None}
    assert np.count_nonzero(["leave_out" in call for call in world.embedding.calls]) == 1


async def test_without_user_embedding_there_is_a_list_and_no_explanation() -> None:
    world = Fond([4])
    await world.people.vector("ann")
    world.embedding.away = True
    answer = await world.ask(explain=True)
    assert answer.degraded == USER_EMBEDDING_UNAVAILABLE
    assert len(answer.items) == 5
    assert answer.items[0].explanation is None
