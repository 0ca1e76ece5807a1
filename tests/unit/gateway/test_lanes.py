"""Whose model makes whose list."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from headrace.contracts.items import NewItem
from headrace.errors import NotFound, Unavailable
from headrace.release.registry import Running
from headrace.release.shares import chosen
from headrace.release.stages import Active, Release
from services.gateway.lists import RankedList
from services.gateway.models import RecommendationRequest
from services.gateway.releases.failures import FailureBound
from services.gateway.releases.lanes import Lanes
from services.gateway.releases.view import ReleaseView
from tests.unit.gateway.memory import MemoryRanker, film

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD = Release(1, "m1", "/m1", "d1", "blue", "live", 0.0, "s1", "", NOW, NOW)
NEW = Release(2, "m2", "/m2", "d2", "green", "canary", 0.3, "s2", "", NOW, NOW)
PEOPLE = [f"user-{number}" for number in range(200)]


class MemoryRegistry:
    """What is released, as a test says."""

    def __init__(self, active: Active) -> None:
        self.active = active
        self.stopped: dict[int, str] = {}
        self.away = False

    def seen(self, running: Sequence[Running]) -> Active:
        if self.away:
            raise Unavailable("Postgres is away")
        return self.active

    def stop(self, release_id: int, reason: str) -> bool:
        if self.away:
            raise Unavailable("Postgres is away")
        self.stopped[release_id] = reason
        self.active = replace(self.active, other=None)
        return True


class Model(MemoryRanker):
    """Its lists name it."""

    def __init__(self, items: Sequence[NewItem], version: str) -> None:
        super().__init__(items)
        self.version = version

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        return replace(await super().recommend(request), model_version=self.version)


class World:
    def __init__(self, active: Active) -> None:
        items = [film(number) for number in range(1, 5)]
        self.blue, self.green = Model(items, "m1"), Model(items[2:], "m2")
        self.registry = MemoryRegistry(active)
        self.view = ReleaseView(self.registry, frozenset({"blue", "green"}))
        self.view.refresh()
        self.lanes = Lanes(
            {"blue": self.blue, "green": self.green}, self.view, 1.0, draw=lambda: 0.2
        )

    def move(self, active: Active) -> None:
        self.registry.active = active
        self.view.refresh()

    async def version(self, user_id: str | None) -> str:
        request = RecommendationRequest(user_id=user_id, n=3)
        return (await self.lanes.recommend(request)).model_version


async def test_a_canary_makes_the_lists_of_its_people_and_of_nobody_else() -> None:
    world = World(Active(OLD, NEW))
    for user_id in PEOPLE:
        whose = "m2" if chosen(user_id, NEW.salt, NEW.share) else "m1"
        assert await world.version(user_id) == whose
    assert await world.version(None) == "m1"
    assert 30 <= world.green.calls <= 90


@pytest.mark.parametrize("stage", ["proposed", "stopped"])
async def test_before_and_after_its_time_a_candidate_is_asked_nothing(stage: str) -> None:
    other = None if stage == "stopped" else replace(NEW, stage="proposed", share=1.0)
    world = World(Active(OLD, other))
    assert {await world.version(user_id) for user_id in PEOPLE} == {"m1"}
    assert world.green.calls == 0


async def test_a_promotion_and_a_rollback_switch_everybody_at_once() -> None:
    world = World(Active())
    assert await world.version("ann") == "m1"
    world.move(Active(replace(NEW, stage="live"), replace(OLD, stage="standby")))
    assert {await world.version(user_id) for user_id in (*PEOPLE, None)} == {"m2"}
    with pytest.raises(NotFound):
        await world.lanes.similar("1", 2, None)  # m2 does not have it
    world.move(Active(OLD))
    assert await world.version("ann") == "m1"
    assert (await world.lanes.similar("1", 2, None)).items


async def test_what_a_canary_fails_to_do_the_live_model_does() -> None:
    world = World(Active(OLD, replace(NEW, share=1.0)))
    before = REGISTRY.get_sample_value(
        "headrace_release_candidate_failures_total", {"reason": "degraded"}
    )
    world.green.degraded = "user_embedding_unavailable"
    assert await world.version("ann") == "m1"
    after = REGISTRY.get_sample_value(
        "headrace_release_candidate_failures_total", {"reason": "degraded"}
    )
    assert (after or 0) - (before or 0) == 1
    world.green.degraded, world.green.failure = None, Unavailable("it crashed")
    assert await world.version("ann") == "m1"
    world.green.failure = None
    assert await world.version("ann") == "m2"
    assert world.registry.active.candidate is not None


async def test_a_canary_that_does_not_answer_leaves_time_for_the_live_model() -> None:
    world = World(Active(OLD, replace(NEW, share=1.0)))
    lanes = Lanes({"blue": world.blue, "green": Silent(world.green)}, world.view, 0.01)
    ranked = await lanes.recommend(RecommendationRequest(user_id="ann", n=3))
    assert ranked.model_version == "m1"


class Silent(Model):
    def __init__(self, model: Model) -> None:
        self.__dict__ = model.__dict__

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_canary_that_crashes_is_stopped_for_everybody_and_no_list_fails() -> None:
    world = World(Active(OLD, replace(NEW, share=1.0)))
    world.green.failure = Unavailable("it crashed")
    world.registry.away = True
    assert {await world.version(user_id) for user_id in PEOPLE} == {"m1"}
    assert world.view.candidate is None
    with pytest.raises(Unavailable):
        world.view.refresh()
    world.registry.away = False
    world.view.refresh()
    assert world.registry.stopped == {2: "it failed too often, last: unavailable"}
    assert world.green.calls <= 5  # its circuit was open


async def test_a_canary_that_lost_its_people_is_stopped_and_no_list_is_degraded() -> None:
    world = World(Active(OLD, replace(NEW, share=1.0)))
    world.green.degraded = "user_embedding_unavailable"
    for user_id in PEOPLE:
        request = RecommendationRequest(user_id=user_id, n=3)
        assert (await world.lanes.recommend(request)).degraded is None
    world.view.refresh()
    assert world.registry.stopped == {2: "it failed too often, last: degraded"}


async def test_the_next_candidate_is_not_blamed_for_the_last() -> None:
    world = World(Active(OLD, replace(NEW, share=1.0)))
    world.green.failure = Unavailable("it crashed")
    for user_id in PEOPLE:
        await world.version(user_id)
    world.view.refresh()
    world.green.failure = None
    world.move(Active(OLD, replace(NEW, release_id=3, share=1.0)))
    assert await world.version("ann") == "m2"


async def test_a_shadow_is_compared_and_shown_to_nobody() -> None:
    world = World(Active(OLD, replace(NEW, stage="shadow", share=1.0)))
    name = "headrace_release_shadow_overlap_ratio"
    count, total = (REGISTRY.get_sample_value(f"{name}_{part}") or 0 for part in ("count", "sum"))
    request = RecommendationRequest(user_id="ann", n=4, after="e1")
    assert (await world.lanes.recommend(request)).model_version == "m1"
    await world.lanes.settled()
    assert world.green.asked[0].after is None
    assert (REGISTRY.get_sample_value(f"{name}_count") or 0) - count == 1
    # Of the four that were shown the candidate has two.
    assert (REGISTRY.get_sample_value(f"{name}_sum") or 0) - total == pytest.approx(0.5)


async def test_a_shadow_that_is_not_ready_yet_is_not_stopped() -> None:
    world = World(Active(OLD, replace(NEW, stage="shadow", share=1.0)))
    world.green.failure = Unavailable("it is starting")
    for user_id in PEOPLE:
        await world.version(user_id)
        await world.lanes.settled()
    assert world.view.candidate is not None


async def test_a_shadow_fails_from_its_first_list_on() -> None:
    def failed() -> float:
        name = "headrace_release_candidate_failures_total"
        return REGISTRY.get_sample_value(name, {"reason": "unavailable"}) or 0.0

    world = World(Active(OLD, replace(NEW, stage="shadow", share=1.0)))
    lanes, request = world.lanes, RecommendationRequest(user_id="ann", n=3)
    before = failed()
    for failure in (Unavailable("it is starting"), None):
        world.green.failure = failure
        await lanes.recommend(request)
        await lanes.settled()
    assert failed() == before
    world.green.failure = Unavailable("it crashed")
    await lanes.recommend(request)
    await lanes.settled()
    assert failed() == before + 1


async def test_a_share_of_requests_is_shadowed() -> None:
    world = World(Active(OLD, replace(NEW, stage="shadow", share=0.1)))  # 0.2 is drawn
    await world.version("ann")
    await world.lanes.settled()
    assert world.green.calls == 0


async def test_a_slot_out_of_reach_gets_no_list() -> None:
    world = World(Active(OLD, replace(NEW, share=1.0)))
    view = ReleaseView(world.registry, frozenset({"blue"}))
    view.refresh()
    lanes = Lanes({"blue": world.blue}, view, 1.0)
    request = RecommendationRequest(user_id="ann", n=3)
    assert (await lanes.recommend(request)).model_version == "m1"
    world.registry.active = Active(replace(NEW, stage="live"))
    view.refresh()
    assert (await lanes.recommend(request)).model_version == "m1"


def test_the_models_shown_in_metrics_are_two_at_most() -> None:
    world = World(Active(OLD, NEW))
    for number in range(5):
        world.move(
            Active(replace(OLD, model_version=f"m{number}"), replace(NEW, model_version="x"))
        )
    info = next(f for f in REGISTRY.collect() if f.name == "headrace_release_info")
    assert {(one.labels["variant"], one.labels["model_version"]) for one in info.samples} == {
        ("live", "m4"),
        ("candidate", "x"),
    }


def test_the_bound_counts_the_last_calls_alone() -> None:
    bound = FailureBound(failures=3, calls=5)
    assert [bound.note(failed=failed) for failed in (True, True, False, False, False)] == [
        False
    ] * 5
    assert [bound.note(failed=True) for _ in range(3)] == [False, False, True]
