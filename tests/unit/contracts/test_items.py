"""What an item may say."""

from typing import Any

import pytest

from headrace.contracts.categories import with_ancestors
from headrace.contracts.items import ItemContent, NewItem
from headrace.contracts.violations import check
from headrace.errors import InvalidInput

ITEM: dict[str, Any] = {"item_id": "50", "title": "Star Wars (1977)"}


def test_an_item_needs_an_id_and_a_title() -> None:
    item = check(NewItem, ITEM)
    assert (item.description, item.categories, item.tags, item.attributes) == ("", (), (), {})
    assert check(ItemContent, {"title": "x", "attributes": {"year": 1977}}).attributes == {
        "year": 1977.0
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"description": "x" * 10_001}, "description"),
        ({"categories": ["a", ""]}, "categories[1]"),
        ({"categories": ["x" * 101]}, "categories[0]"),
        ({"categories": ["a"] * 33}, "categories"),
        ({"tags": ["a"] * 65}, "tags"),
        ({"tags": "action"}, "tags"),
        ({"attributes": {"price": float("nan")}}, "attributes.price"),
        ({"attributes": {"price": "cheap"}}, "attributes.price"),
        ({"attributes": {str(n): n for n in range(65)}}, "attributes"),
        ({"item_id": "a\tb"}, "item_id"),
        ({"colour": "red"}, "colour"),
        ({"categories": ["Home > > Knives"]}, "categories[0]"),
        ({"categories": [" > ".join("abcdefghi")]}, "categories[0]"),
        ({"text_attributes": {"brand": ""}}, "text_attributes.brand"),
        ({"attributes": {"a": 1}, "text_attributes": {"a": "x"}}, "text_attributes"),
        ({"price": {"amount": -1, "currency": "EUR"}}, "price.amount"),
        ({"price": {"amount": 1, "currency": "euro"}}, "price.currency"),
        ({"picture_url": "javascript:alert(1)"}, "picture_url"),
        ({"picture_url": "//other.example/1.png"}, "picture_url"),
        ({"picture_url": "data:image/svg+xml,<svg onload=alert(1)>"}, "picture_url"),
        ({"picture_url": "https://shop.example/a b.png"}, "picture_url"),
        ({"picture_url": "https://shop.example/" + "a" * 2_000}, "picture_url"),
        ({"availability": "maybe"}, "availability"),
        ({"embedding": [1.0, float("nan")]}, "embedding[1]"),
        ({"embedding": [1e39]}, "embedding[0]"),
        ({"embedding": [0.5] * 4_097}, "embedding"),
        ({"publish_at": "2026-01-01T00:00:00"}, "publish_at"),
        (
            {"publish_at": "2026-01-02T00:00:00Z", "expire_at": "2026-01-02T00:00:00Z"},
            "expire_at",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(NewItem, {**ITEM, **changes}, "items", 2)
    assert [violation.field for violation in caught.value.violations] == [f"items[2].{field}"]


def test_a_category_has_one_spelling_and_brings_those_above() -> None:
    item = check(NewItem, {**ITEM, "categories": ["Home>Kitchen", "Home > Garden"]})
    assert item.categories == ("Home > Kitchen", "Home > Garden")
    assert with_ancestors(item.categories) == ["Home", "Home > Kitchen", "Home > Garden"]


def test_content_knows_no_id() -> None:
    with pytest.raises(InvalidInput, match="item_id: Extra inputs"):
        check(ItemContent, ITEM)


def test_a_label_is_measured_in_characters() -> None:
    with pytest.raises(InvalidInput, match="at least 1 character"):
        check(NewItem, {**ITEM, "categories": [""]})
