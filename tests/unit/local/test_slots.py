"""Which slots run, and which of them give way to the others."""

from datetime import UTC, datetime

from headrace.local.priority import MODEST, NORMAL
from headrace.local.slots import held
from headrace.release.stages import Active, Release, Slot, Stage

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def released(slot: Slot, stage: Stage) -> Release:
    return Release(1, f"in-{slot}", f"/{slot}", "", slot, stage, 0.0, "salt", "", NOW, NOW)


def test_before_the_first_release_the_first_slot_serves() -> None:
    assert held(Active()) == {"blue": NORMAL}


def test_a_proposed_model_gives_way_until_its_lists_are_made() -> None:
    live = released("blue", "live")
    niceness = {
        stage: held(Active(live, released("green", stage)))
        for stage in ("proposed", "shadow", "canary", "standby")
    }
    assert niceness["proposed"] == {"blue": NORMAL, "green": MODEST}
    for stage in ("shadow", "canary", "standby"):
        assert niceness[stage] == {"blue": NORMAL, "green": NORMAL}, stage


def test_a_slot_that_was_retired_has_no_processes() -> None:
    assert held(Active(live=released("green", "live"))) == {"green": NORMAL}
