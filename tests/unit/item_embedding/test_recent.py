"""What this process stored is remembered at its revision, within bounds."""

from headrace.contracts.items import NewItem
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.recent import RecentItems


def item(ordinal: int, revision: int = 1, description: str = "") -> CatalogueItem:
    content = NewItem(item_id=f"i{ordinal}", title="A title", description=description)
    return CatalogueItem(ordinal, revision, False, content)


def test_an_item_is_known_at_the_revision_at_which_it_was_stored() -> None:
    recent = RecentItems()
    recent.remember([item(1), item(2, revision=3)])
    assert recent.find([(1, 1), (2, 3), (3, 1)]) == {1: item(1), 2: item(2, revision=3)}
    assert recent.find([(1, 2), (2, 2)]) == {}


def test_what_was_stored_first_is_forgotten_first() -> None:
    recent = RecentItems(limit_bytes=50_000)
    for ordinal in range(1, 101):
        recent.remember([item(ordinal)])
        recent.remember([item(ordinal)])  # stored again as it was
    kept = recent.find([(ordinal, 1) for ordinal in range(1, 101)])
    assert list(kept) == list(range(90, 101)) or list(kept) == list(range(89, 101))


def test_long_items_take_the_room_of_many() -> None:
    recent = RecentItems(limit_bytes=50_000)
    recent.remember([item(1), item(2)])
    recent.remember([item(3, description="x" * 10_000)] * 3)
    assert set(recent.find([(1, 1), (2, 1), (3, 1)])) == {1, 2, 3}
    recent.remember([item(n, description="x" * 10_000) for n in range(4, 7)])
    assert set(recent.find([(n, 1) for n in range(1, 7)])) == {4, 5, 6}


def test_nothing_is_remembered_where_there_is_no_room() -> None:
    recent = RecentItems(limit_bytes=0)
    recent.remember([item(1)])
    assert recent.find([(1, 1)]) == {}
