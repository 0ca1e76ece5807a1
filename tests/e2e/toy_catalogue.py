"""The toy catalogue, put into a running system."""

import httpx

from headrace.training.toy import toy_items
from tests.e2e.visitor import API_KEY, until


def stock(http_url: str) -> None:
    """Returns once every item can be in a list."""
    items = [
        {
            "item_id": item.item_id,
            "title": item.title,
            "categories": list(item.categories),
            "attributes": dict(item.attributes),
        }
        for item in toy_items()
    ]
    answer = httpx.post(
        f"{http_url}/v1/items",
        json={"items": items},
        headers={"Authorization": f"Bearer {API_KEY}"},
    )
    assert answer.status_code == httpx.codes.OK, answer.text
    until(lambda: _listed(http_url) == len(items), 30, "every item is in the lists")


def _listed(http_url: str) -> int:
    """How many items a list for nobody in particular can hold."""
    answer = httpx.post(f"{http_url}/v1/recommendations", json={"n": 200})
    return len(answer.json()["items"])
