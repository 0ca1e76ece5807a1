"""Changes as messages."""

from headrace.contracts.items import NewItem
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.messages import Changes, item_change


def item(ordinal: int, revision: int = 1) -> CatalogueItem:
    content = NewItem(item_id=f"i{ordinal}", title=f"Title {ordinal} {revision}")
    return CatalogueItem(ordinal, revision, deleted=False, content=content)


def test_a_change_is_one_message_until_the_item_changes_again() -> None:
    changes = Changes()
    first = changes.of(item(1))
    assert first == item_change(item(1))
    assert changes.of(item(1)) is first
    assert changes.of(item(1, revision=2)) == item_change(item(1, revision=2))
    assert changes.of(item(1)) is first


def test_what_was_made_first_makes_room() -> None:
    changes = Changes(limit_bytes=3 * item_change(item(1)).ByteSize())
    made = [changes.of(item(ordinal)) for ordinal in range(1, 5)]
    assert changes.of(item(4)) is made[3]
    assert changes.of(item(1)) is not made[0]
    assert changes.of(item(1)) == made[0]


def test_a_message_beyond_every_bound_is_made_all_the_same() -> None:
    changes = Changes(limit_bytes=0)
    assert changes.of(item(1)) == item_change(item(1))
