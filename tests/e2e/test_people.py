"""A visitor becomes a person, over HTTP, through everything, and keeps what they did before."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import httpx
import numpy as np
import pytest

from headrace.local.system import LocalSystem
from tests.e2e.visitor import Visitor, until

PASSWORD = "correct horse battery"


def test_a_visitor_who_registers_keeps_their_clicks(visitor: Visitor, system: LocalSystem) -> None:
    with httpx.Client(base_url=system.http_url, timeout=30) as http:
        visit = http.post("/v1/visits", json={}).json()
        as_visitor = {"Authorization": f"Bearer {visit['visit_token']}"}
        horror = [
            {"event_id": f"h{n}", "user_id": visit["visitor_id"], "item_id": f"item-{n}"}
            for n in (2, 6, 10)
        ]
        events = {"events": [{**event, "type": "click"} for event in horror]}
        assert http.post("/v1/events", json=events, headers=as_visitor).status_code == 202

        email = f"{uuid.uuid4().hex}@example.com"
        account = {"email": email, "password": PASSWORD}
        assert http.post("/v1/accounts", json=account).status_code == 202
        confirmation = {
            "token": mailed_token(system, email),
            "password": PASSWORD,
            "visit_token": visit["visit_token"],
        }
        session = http.post("/v1/accounts/confirm", json=confirmation).json()
        assert session["visit_claimed"]
        as_person = {"Authorization": f"Bearer {session['access_token']}"}
        lists = f"/v1/users/{session['user_id']}/recommendations"

        def horror_first() -> bool:
            items = http.get(lists, params={"n": 5}, headers=as_person).json()["items"]
            return [item["categories"] for item in items].count(["horror"]) >= 4

        until(horror_first, 20, "the list has the clicks of the visit")
        visitor.until_applied(session["user_id"], len(horror))
        visitor.assert_each_stored_once(session["user_id"], len(horror))
        # The visit's token has ended with it.
        until(
            lambda: http.post("/v1/events", json=events, headers=as_visitor).status_code == 401,
            10,
            "the visit has ended",
        )


def test_interests_make_the_first_list(visitor: Visitor, system: LocalSystem) -> None:
    with httpx.Client(base_url=system.http_url, timeout=30) as http:
        email = f"{uuid.uuid4().hex}@example.com"
        account = {"email": email, "password": PASSWORD}
        assert http.post("/v1/accounts", json=account).status_code == 202
        confirmation = {"token": mailed_token(system, email), "password": PASSWORD}
        session = http.post("/v1/accounts/confirm", json=confirmation).json()
        as_person = {"Authorization": f"Bearer {session['access_token']}"}
        told = http.put("/v1/me", json={"interests": ["horror"]}, headers=as_person)
        assert told.status_code == 200
        lists = f"/v1/users/{session['user_id']}/recommendations"

        def all_horror() -> bool:
            items = http.get(lists, params={"n": 5}, headers=as_person).json()["items"]
            return [item["categories"] for item in items] == [["horror"]] * 5

        # A list does not wait longer than 100 ms for what its person likes.
        until(all_horror, 20, "the list follows the interests")


def mailed_token(system: LocalSystem, email: str) -> str:
    """The token in the first mail to somebody; waits for it."""
    until(lambda: any(system.mails.glob(f"*{email}.eml")), 20, f"a mail to {email}")
    (path,) = system.mails.glob(f"*{email}.eml")
    body = message_from_bytes(path.read_bytes(), policy=policy.default).get_body()
    assert body is not None
    found = re.search(r"#token=(\S+)", body.get_content())
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize(
    ("kind", "value"), [("like", None), ("dislike", None), ("rating", 5.0), ("purchase", None)]
)
def test_what_is_removed_from_the_history_never_was_for_the_next_list(
    visitor: Visitor, system: LocalSystem, kind: str, value: float | None
) -> None:
    """The list is that of somebody who never did it, and so is the vector."""
    now = datetime.now(UTC)
    did = [
        {"item_id": f"item-{item}", "type": kind_of, "event_id": f"e{place}", "value": value_of}
        for place, (item, kind_of, value_of) in enumerate(
            [(2, "click", None), (6, "like", None), (13, kind, value), (10, "view", None)]
        )
    ]
    person, twin = f"with-{uuid.uuid4().hex}", f"without-{uuid.uuid4().hex}"
    timed = [
        {**event, "occurred_at": (now - timedelta(minutes=9 - place)).isoformat()}
        for place, event in enumerate(did)
    ]
    visitor.send([{**event, "user_id": person} for event in timed])
    visitor.send([{**event, "user_id": twin} for event in timed if event["event_id"] != "e2"])

    def listed(user_id: str, after: str) -> list[dict[str, Any]]:
        body = visitor.recommendations(user_id, n=20, after=after)
        status: str = body["after"]["status"]
        applied = status == "applied" and body["degraded"] is None
        return body["items"] if applied else []

    until(lambda: bool(listed(person, "e3") and listed(twin, "e3")), 30, "both have their lists")
    without = listed(twin, "e3")
    before = listed(person, "e3")
    assert "item-13" not in [item["item_id"] for item in before]
    removed = visitor.http.delete(f"/v1/users/{person}/history/e2")
    assert removed.status_code == 202, removed.text
    after: str = removed.json()["event_id"]
    until(lambda: bool(listed(person, after)), 30, "the list waits for the removal")
    now_listed = listed(person, after)
    assert [item["item_id"] for item in now_listed] == [item["item_id"] for item in without]
    for mine, other in zip(now_listed, without, strict=True):
        assert mine["score"] == pytest.approx(other["score"], abs=1e-4)
    np.testing.assert_allclose(
        visitor.served_vector(person), visitor.served_vector(twin), atol=1e-5
    )


def test_what_is_not_wanted_is_in_no_list_from_the_next_on_until_that_is_taken_back(
    visitor: Visitor,
) -> None:
    person = f"picky-{uuid.uuid4().hex}"

    def said(event_id: str, **what: str) -> str:
        visitor.send([{"event_id": event_id, "user_id": person, **what}])
        return event_id

    def listed(after: str, **asked: Any) -> dict[str, list[str]]:
        """Categories by item of the list that has the event."""
        body: dict[str, Any] = {}

        def has_it() -> bool:
            query = {"user_id": person, "n": 60, "include_seen": True, "after": after, **asked}
            body.update(visitor.http.post("/v1/recommendations", json=query).json())
            return bool(body["after"]["status"] == "applied" and body["degraded"] is None)

        until(has_it, 30, f"a list with {after}")
        return {item["item_id"]: item["categories"] for item in body["items"]}

    clicked = said("c", item_id="item-2", type="click")
    assert "item-6" in listed(clicked)
    comedies = [item for item, names in listed(clicked).items() if "comedy" in names]
    assert comedies
    no_item = said("i", item_id="item-6", type="not_interested")
    assert "item-6" not in listed(no_item)
    no_comedy = said("k", category="comedy", type="not_interested")
    for kind in ({}, {"kind": "trending"}, {"kind": "similar", "items": [comedies[0]]}):
        rest = listed(no_comedy, **kind)
        assert rest
        assert not {"item-6", *comedies} & rest.keys()
    path = f"/v1/users/{person}/not-interested"
    told = visitor.http.get(path).json()
    assert [one["item_id"] for one in told["items"]] == ["item-6"]
    assert [one["category"] for one in told["categories"]] == ["comedy"]
    back = visitor.http.delete(path, params={"category": "comedy"}).json()["event_id"]
    again = listed(back)
    assert set(comedies) - {"item-6"} <= again.keys()
    assert "item-6" not in again
