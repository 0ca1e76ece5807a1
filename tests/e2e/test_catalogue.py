"""A merchandiser fills the catalogue; a visitor finds what is in it, and nothing that left it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.e2e.visitor import Visitor, until

_FILE = """\
item_id,title,categories,tags,price,currency,attributes.year,text_attributes.brand,publish_at
shop-1,Chef's Knife,Home > Kitchen > Knives,steel,49.90,EUR,2026,Mill,
shop-2,Bread knife,Home > Kitchen > Knives,,19.90,EUR,2020,Race,
shop-3,Not a price,Home,,cheap,EUR,,,
shop-4,Knife of tomorrow,Home > Kitchen > Knives,,1,EUR,,,{tomorrow}
"""


def test_an_uploaded_catalogue_is_browsed_searched_and_left_at_once(visitor: Visitor) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    report = visitor.http.post(
        "/v1/items/upload",
        content=_FILE.format(tomorrow=tomorrow),
        headers={"content-type": "text/csv"},
    )
    assert report.status_code == httpx.codes.OK, report.text
    assert (report.json()["stored"], report.json()["refused"]) == (3, 1)
    assert [(one["line"], one["column"]) for one in report.json()["lines"]] == [(4, "price")]

    # From the moment of the answer.
    assert _ids(visitor, "search", q="knief") == {"shop-1", "shop-2"}
    assert _ids(visitor, "items", category="Home") == {"shop-1", "shop-2"}
    cheap = '{"price": {"currency": "EUR", "lt": 2000}}'
    assert _ids(visitor, "search", q="knife", filter=cheap) == {"shop-2"}
    tree = {one["path"]: one["items"] for one in _get(visitor, "categories")["categories"]}
    assert (tree["Home"], tree["Home > Kitchen > Knives"]) == (2, 2)
    assert _get(visitor, "suggest", q="chef kn")["suggestions"][0]["item_id"] == "shop-1"

    # Words that no item has: what is nearest to their meaning, once the ranker has the vectors.
    until(
        lambda: _get(visitor, "search", q="qwertzuiop")["match"] == "nearest",
        30,
        "the nearest items are found",
    )
    unanswered = _get(visitor, "search/unanswered")["searches"]
    assert "qwertzuiop" in [one["query"] for one in unanswered]

    assert visitor.http.delete("/v1/items/shop-1").status_code == httpx.codes.OK
    assert _ids(visitor, "search", q="knife") == {"shop-2"}
    assert _ids(visitor, "items", category="Home") == {"shop-2"}


def test_a_search_is_in_the_order_of_a_persons_taste(visitor: Visitor, item_ids: list[str]) -> None:
    visitor.send(
        [
            {"event_id": f"taste-{n}", "user_id": "taster", "item_id": item_id, "type": "click"}
            for n, item_id in enumerate(item_ids[:5])
        ]
    )
    title = visitor.http.get(f"/v1/items/{item_ids[0]}").json()["title"]
    word = title.split()[0]
    until(
        lambda: _get(visitor, "search", q=word, user_id="taster")["personal"],
        30,
        "the person is known",
    )
    personal = _get(visitor, "search", q=word, user_id="taster", n=100)
    plain = _get(visitor, "search", q=word, n=100)
    assert sorted(one["item_id"] for one in personal["items"]) == sorted(
        one["item_id"] for one in plain["items"]
    )
    assert not plain["personal"]


def _get(visitor: Visitor, path: str, **params: Any) -> dict[str, Any]:
    answer = visitor.http.get(f"/v1/{path}", params=params)
    assert answer.status_code == httpx.codes.OK, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _ids(visitor: Visitor, path: str, **params: Any) -> set[str]:
    return {one["item_id"] for one in _get(visitor, path, **params)["items"]}
