"""Items from their rows in Postgres."""

from collections.abc import Sequence
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.contracts.items import NewItem, Price
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.recent import RecentItems

# A real is written with as few digits as tell it apart; a double has all of those it has.
COLUMNS = sql.SQL(
    "i.ordinal, i.revision, i.deleted,"
    " i.item_id, i.title, i.description, i.categories, i.tags, i.attributes, i.text_attributes,"
    " i.price, i.picture_url, i.availability, i.publish_at, i.expire_at,"
    " i.embedding::double precision[]"
)

_READ = sql.SQL("SELECT {columns} FROM items i WHERE ordinal = ANY(%s)").format(columns=COLUMNS)


def read_items(
    cursor: Cursor, recent: RecentItems, numbers: Sequence[tuple[int, int]]
) -> list[CatalogueItem]:
    """The items of these ordinals, each at this revision or a later one, in the order given."""
    found = recent.find(numbers)
    missing = [ordinal for ordinal, _ in numbers if ordinal not in found]
    if missing:
        cursor.execute(_READ, (missing,))
        found |= {item.ordinal: item for item in map(item_of, cursor)}
    return [found[ordinal] for ordinal, _ in numbers]


def item_of(row: Sequence[Any]) -> CatalogueItem:
    """An item from the values of `COLUMNS`, which were checked when they came."""
    (
        ordinal, revision, deleted, item_id, title, description, categories, tags, attributes,
        text_attributes, price, picture_url, availability, publish_at, expire_at, embedding,
    ) = row  # fmt: skip
    content = NewItem.model_construct(
        item_id=item_id,
        title=title,
        description=description,
        categories=tuple(categories),
        tags=tuple(tags),
        # Postgres writes a great number as digits, which JSON reads as an integer.
        attributes={name: float(value) for name, value in attributes.items()},
        text_attributes=text_attributes,
        price=None if price is None else Price.model_construct(**price),
        picture_url=picture_url,
        availability=availability,
        publish_at=publish_at,
        expire_at=expire_at,
        embedding=tuple(embedding),
    )
    return CatalogueItem(ordinal, revision, deleted, content)
