"""A visitor becomes a person, over HTTP, through everything, and keeps what they did before."""

import re
import uuid
from email import message_from_bytes, policy

import httpx

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
