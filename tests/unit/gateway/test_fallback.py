"""What is remembered is bounded."""

from datetime import UTC, datetime

from services.gateway.fallback import CATEGORIES, PersonalLists, PopularLists
from services.gateway.lists import ListedItem, RankedList
from services.gateway.tombstones import Tombstones
from tests.unit.gateway.memory import Clock


def _list(*item_ids: str) -> RankedList:
    items = tuple(ListedItem(item_id, 1.0, item_id, (), "popular") for item_id in item_ids)
    return RankedList("m1", datetime(2026, 1, 1, tzinfo=UTC), items)


def test_people_not_seen_longest_make_room() -> None:
    lists = PersonalLists(places=4)
    lists.remember("a", _list("1", "2"))
    lists.remember("b", _list("1", "2"))
    lists.remember("a", _list("3"))
    lists.remember("c", _list("1", "2"))
    assert lists.of("b") is None
    assert lists.of("a") == _list("3")
    assert lists.of("c") == _list("1", "2")


def test_a_list_beyond_all_room_is_not_kept() -> None:
    lists = PersonalLists(places=1)
    lists.remember("a", _list("1", "2"))
    assert lists.of("a") is None


def test_categories_are_refreshed_in_turn_and_the_least_wanted_is_forgotten() -> None:
    lists = PopularLists()
    for number in range(CATEGORIES + 1):
        lists.wanted(str(number))
    assert "0" not in lists.due()
    seen: set[str | None] = set()
    for _ in range(8):
        for category in lists.due():
            seen.add(category)
            lists.store(category, _list("1"))
    assert len(seen) == CATEGORIES + 1  # each, and everything


def test_a_category_without_a_list_of_its_own_is_answered_from_everything() -> None:
    lists = PopularLists()
    lists.store(None, _list("1"))
    lists.wanted("Drama")
    assert lists.best("Drama") == _list("1")
    lists.store("Drama", _list("2"))
    assert lists.best("Drama") == _list("2")
    assert lists.best(None) == _list("1")


def test_tombstones_last_a_minute() -> None:
    clock = Clock()
    tombstones = Tombstones(seconds=60, clock=clock)
    tombstones.add("1")
    clock.now = 30
    tombstones.add("2")
    assert tombstones.present() == ("2", "1")
    clock.now = 61
    assert tombstones.present() == ("2",)
