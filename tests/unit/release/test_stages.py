"""What may follow on what."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from headrace.errors import FailedPrecondition
from headrace.release.readiness import missing
from headrace.release.registry import Progress, Running
from headrace.release.stages import (
    Active,
    Release,
    to_move,
    to_propose,
    to_retire,
    to_roll_back,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD = Release(1, "m1", "/m1", "d1", "blue", "live", 0.0, "s1", "", NOW, NOW)
NEW = Release(2, "m2", "/m2", "d2", "green", "proposed", 0.0, "s2", "", NOW, NOW)


def test_without_any_release_the_first_slot_serves_and_the_other_is_free() -> None:
    assert (Active().live_slot, Active().free_slot) == ("blue", "green")
    with pytest.raises(FailedPrecondition, match="no model is proposed"):
        to_move(Active())
    with pytest.raises(FailedPrecondition, match="nothing is on its way"):
        to_roll_back(Active())


@pytest.mark.parametrize("stage", ["proposed", "shadow", "canary"])
def test_a_candidate_goes_on_and_can_be_stopped_without_a_change_of_what_is_live(
    stage: str,
) -> None:
    candidate = replace(NEW, stage=stage)  # type: ignore[arg-type]  # one of the stages
    active = Active(OLD, candidate)
    assert to_move(active) is candidate
    assert to_roll_back(active) == (candidate, None)
    assert active.in_slot("green") is candidate
    with pytest.raises(FailedPrecondition, match=f"m2 is {stage} already"):
        to_propose(active)
    with pytest.raises(FailedPrecondition, match="nothing to retire"):
        to_retire(active)


def test_after_a_promotion_the_way_back_is_open_until_the_old_model_is_retired() -> None:
    promoted = Active(replace(NEW, stage="live"), replace(OLD, stage="standby"))
    assert (promoted.live_slot, promoted.free_slot) == ("green", "blue")
    assert to_roll_back(promoted) == (promoted.live, promoted.standby)
    assert to_retire(promoted) is promoted.standby
    with pytest.raises(FailedPrecondition, match="m1 stands by"):
        to_propose(promoted)
    with pytest.raises(FailedPrecondition, match="no model is proposed"):
        to_move(promoted)
    with pytest.raises(FailedPrecondition, match="no earlier model stands by"):
        to_roll_back(Active(promoted.live, None))


def running(service: str, *, ready: bool = True, version: str = "m2") -> Running:
    return Running("green", service, "host/1", version, "/m2", "d2", ready)


ALL = [running(name) for name in ("item_embedding", "user_embedding", "ranker", "gateway")]


def test_a_candidate_is_ready_when_all_that_serves_it_is() -> None:
    assert missing(NEW, ALL, Progress(lacking=0, people=5_000, behind=50)) == []
    assert missing(NEW, ALL, Progress(lacking=0, people=0, behind=0)) == []


def test_what_is_missing_is_named() -> None:
    told = missing(
        NEW,
        [
            running("item_embedding", version="m1"),
            running("ranker", ready=False),
            running("gateway", ready=False),
            replace(running("user_embedding"), slot="blue"),
        ],
        Progress(lacking=7, people=5_000, behind=51),
    )
    assert told == [
        "no item_embedding runs it in slot green",
        "no user_embedding runs it in slot green",
        "ranker is not ready",
        "gateway host/1 is not told where the ranker of slot green is",
        "7 items have no vector of it yet",
        "51 of 5,000 people's states are behind",
    ]
