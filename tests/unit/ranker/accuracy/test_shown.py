"""A click counts for the last list that showed the item, once, within a window and memory."""

from itertools import count

import pytest
from prometheus_client import REGISTRY

from headrace.contracts.events import EventType
from services.ranker.accuracy.shown import SETTLED_S, Shown, ShownItem, ShownList
from tests.unit.ranker.accuracy.reading import Since, click, counted

_NUMBERS = count()


class World:
    def __init__(self, window_s: float = 600, max_lists: int = 100) -> None:
        self.model = f"shown-{next(_NUMBERS)}"
        self.shown = Shown(window_s, max_lists)
        self.since = Since()

    def serve(self, user_id: str, at: float, *items: ShownItem, model: str = "") -> None:
        self.shown.show(ShownList(user_id, at, model or self.model, items))

    def happens(self, user_id: str, ordinal: int, at: float, kind: int = EventType.CLICK) -> None:
        """And is settled."""
        self.shown.take([click(user_id, 2, ordinal, at=at, kind=kind)], at)
        self.shown.settle(at + SETTLED_S)

    def items(self, source: str, position: str) -> float:
        self.shown.settle(0)
        return counted("shown_items", model_version=self.model, source=source, position=position)

    def outcomes(self, source: str, position: str, outcome: str = "click") -> float:
        return counted(
            "shown_outcomes",
            model_version=self.model,
            source=source,
            position=position,
            outcome=outcome,
        )


def item(
    ordinal: int, position: int, source: str = "retrieval", chance: float | None = None
) -> ShownItem:
    return ShownItem(ordinal, position, source, chance)


def test_click_through_by_source_and_position_is_that_of_the_hand() -> None:
    world = World()
    world.serve("ann", 100, item(1, 1), item(2, 2), item(3, 3), item(4, 4, "trending"))
    world.serve("bob", 100, item(1, 1), item(9, 2))
    world.happens("ann", 2, 110)
    world.happens("ann", 4, 120)
    world.happens("bob", 9, 130)
    world.happens("bob", 4, 140)  # not shown to bob
    assert world.items("retrieval", "1") == 2
    assert world.items("retrieval", "2-3") == 3
    assert world.items("trending", "4-5") == 1
    assert world.outcomes("retrieval", "1") == 0
    assert world.outcomes("retrieval", "2-3") == 2
    assert world.outcomes("trending", "4-5") == 1
    assert world.since.counted("shown_clicks", outcome="shown") == 3
    assert world.since.counted("shown_clicks", outcome="not_shown") == 1


def test_the_last_list_that_showed_the_item_is_credited() -> None:
    world = World()
    world.serve("ann", 100, item(5, 1))
    world.serve("ann", 200, item(6, 1), item(5, 2))
    world.serve("ann", 300, item(6, 1))
    world.happens("ann", 5, 310)
    assert (world.outcomes("retrieval", "1"), world.outcomes("retrieval", "2-3")) == (0, 1)


def test_a_list_that_came_after_the_click_is_not() -> None:
    world = World()
    world.serve("ann", 100, item(6, 1), item(5, 2))
    world.shown.take([click("ann", 2, 5, at=150)], 150)
    world.serve("ann", 151.5, item(5, 1))
    world.shown.settle(150 + SETTLED_S)
    assert (world.outcomes("retrieval", "1"), world.outcomes("retrieval", "2-3")) == (0, 1)


def test_a_click_that_is_quicker_than_the_record_of_its_list_finds_it() -> None:
    world = World()
    world.shown.take([click("ann", 2, 5, at=100.05)], 100.05)
    world.shown.settle(100.1)
    world.serve("ann", 100, item(5, 1))
    world.shown.settle(100.05 + SETTLED_S)
    assert world.outcomes("retrieval", "1") == 1


def test_each_place_has_one_click_and_one_purchase() -> None:
    world = World()
    world.serve("ann", 100, item(5, 1))
    world.happens("ann", 5, 110, EventType.VIEW)
    world.happens("ann", 5, 120, EventType.CART)
    world.happens("ann", 5, 130, EventType.PURCHASE)
    world.happens("ann", 5, 140, EventType.PURCHASE)
    assert world.outcomes("retrieval", "1", "click") == 1
    assert world.outcomes("retrieval", "1", "purchase") == 1


def test_no_interest_and_imports_credit_nothing() -> None:
    world = World()
    world.serve("ann", 100, item(5, 1))
    world.happens("ann", 5, 110, EventType.DISLIKE)
    world.happens("ann", 5, 110, 99)
    world.shown.take([click("ann", 2, 5, at=110, backfill=True)], 110)
    world.shown.settle(200)
    assert world.outcomes("retrieval", "1") == 0


def test_after_the_window_a_list_is_forgotten() -> None:
    world = World(window_s=600)
    world.serve("ann", 100, item(5, 1))
    world.happens("ann", 5, 701)
    assert world.outcomes("retrieval", "1") == 0
    assert len(world.shown) == 0


def test_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    world = World(max_lists=10)
    for number in range(25):
        world.serve(f"user-{number}", 100 + number, item(5, 1))
    assert len(world.shown) == 10
    assert world.since.counted("shown_lists", outcome="forgotten") == 15
    world.happens("user-3", 5, 130)
    world.happens("user-20", 5, 130)
    assert world.outcomes("retrieval", "1") == 1


def test_clicks_that_wait_are_bounded() -> None:
    world = World()
    world.shown.take([click("ann", 2, 5)] * 10_010, 100)
    assert world.since.counted("shown_clicks", outcome="too_many") == 10


def test_calibration_holds_chances_against_clicks() -> None:
    world = World()
    world.serve(
        "ann", 100, item(1, 1, chance=0.25), item(2, 2, chance=0.29), item(3, 3, chance=0.04)
    )
    world.serve("bob", 100, item(1, 1, chance=1.0), item(2, 2, "trending"))
    world.happens("ann", 2, 110)
    labels = {"model_version": world.model, "chance": "0.3"}
    assert counted("calibration_items", **labels) == 2
    assert counted("calibration_chance", **labels) == pytest.approx(0.54)
    assert counted("calibration_clicks", **labels) == 1
    assert counted("calibration_items", model_version=world.model, chance="0.05") == 1
    assert counted("calibration_clicks", model_version=world.model, chance="0.05") == 0
    assert counted("calibration_items", model_version=world.model, chance="1.0") == 1


def test_labels_are_bounded_whatever_kafka_brings() -> None:
    world = World()
    for number in range(50):
        world.serve("ann", 100, item(1, number + 1), model=f"{world.model}-{number}")
    models = {
        sample.labels["model_version"]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "headrace_shown_items_total"
        and sample.labels["model_version"].startswith((world.model, "other"))
    }
    assert len(models) == 9
    assert "other" in models
