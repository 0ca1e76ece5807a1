"""Of several models the live one is rebuilt; topics are there for all that may run."""

from datetime import UTC, datetime

import pytest

from headrace.release.serving import live_version, versions_in_slots
from headrace.release.stages import Active, Release, Slot, Stage

_NOW = datetime(2026, 11, 27, tzinfo=UTC)


class Told:
    def __init__(self, active: Active) -> None:
        self._active = active

    def active(self) -> Active:
        return self._active


def _release(version: str, slot: Slot, stage: Stage) -> Release:
    return Release(1, version, f"/{version}", "", slot, stage, 0.0, "", "", _NOW, _NOW)


LIVE, OTHER = _release("second", "green", "live"), _release("first", "blue", "standby")


@pytest.mark.parametrize(
    ("active", "live", "all_of_them"),
    [
        (Active(), "settings", ["settings"]),
        (Active(live=LIVE), "second", ["second"]),
        (Active(live=LIVE, other=OTHER), "second", ["second", "first"]),
        (Active(other=OTHER), "settings", ["settings", "first"]),
    ],
)
def test_versions_come_from_the_releases_else_from_the_settings(
    active: Active, live: str, all_of_them: list[str]
) -> None:
    assert live_version(Told(active), "/settings", lambda url: url[1:]) == live
    assert versions_in_slots(Told(active), "/settings", lambda url: url[1:]) == all_of_them
