"""Who is on the pages: a shopper, an operator, and a crowd that both have something to do with."""

import random
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx
import psycopg2

from bench.target import USERS, Target

_PASSWORD = "a password for pictures"  # of accounts on this machine alone
_DEADLINE_S = 90.0
_CROWD = USERS[:120]
_POSTERS = ("print-1", "print-2", "print-3", "print-4", "print-5")

GOODS = """\
item_id,title,description,categories,tags,price,currency,attributes.width_cm
print-1,"Star Wars, a print",Ink on heavy paper.,Prints > Science fiction,paper|large,24.90,EUR,50
print-2,"Fargo, a print",Snow and a little red.,Prints > Crime,paper|large,24.90,EUR,50
print-3,"Toy Story, a print","For the wall above a small bed.",Prints > Children,paper,14.50,EUR,30
print-4,"Casablanca, a print",Black and white on cotton.,Prints > Classics,cotton|large,39.00,EUR,70
print-5,"The Godfather, a print",A hand and some strings.,Prints > Crime,paper,14.50,EUR,30
print-6,A print without a price,Comes when it comes.,Prints,paper,dear,EUR,30
"""
"""A file whose last line cannot be used."""


@dataclass(frozen=True)
class Account:
    """Somebody who can log in."""

    http: httpx.Client
    user_id: str
    email: str

    def session(self) -> dict[str, Any]:
        """A new one: each browser needs its own, since using its tokens ends another's."""
        answer = self.http.post(
            "/v1/accounts/log-in", json={"email": self.email, "password": _PASSWORD}
        )
        session: dict[str, Any] = answer.raise_for_status().json()
        return {**session, "email": self.email, "until": (time.time() + 600) * 1_000}

    def erased(self) -> dict[str, Any]:
        """Erases the person. Returns the receipt."""
        answer = self.http.request(
            "DELETE",
            f"/v1/users/{self.user_id}",
            json={"password": _PASSWORD},
            headers=bearer(self.session()["access_token"]),
        )
        receipt: dict[str, Any] = answer.raise_for_status().json()
        return receipt


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def registered(target: Target, mails: Path, name: str, role: str = "shopper") -> Account:
    """A new account, its address confirmed by the mail in the folder `mails`."""
    http = httpx.Client(base_url=target.url, timeout=30)
    email = f"{name.lower()}.{uuid.uuid4().hex[:6]}@example.com"
    account = {"email": email, "password": _PASSWORD, "name": name}
    http.post("/v1/accounts", json=account).raise_for_status()
    confirmation = {"token": _mailed(mails, email), "password": _PASSWORD}
    session = http.post("/v1/accounts/confirm", json=confirmation).raise_for_status().json()
    if role != "shopper":
        granted = {"email": email, "role": role}
        http.post("/v1/accounts/role", json=granted, headers=target.headers).raise_for_status()
    return Account(http, session["user_id"], email)


def shop(account: Account) -> None:
    """Looks, likes, rates, buys, and does not want everything."""
    session = account.session()
    own = {"user_id": account.user_id}
    viewed = ("172", "98", "64", "50", "1")
    did: list[dict[str, object]] = [{"type": "view", "item_id": item} for item in viewed]
    did += [
        {"type": "like", "item_id": "181"},
        {"type": "cart", "item_id": "100"},
        {"type": "purchase", "item_id": "127"},
        {"type": "purchase", "item_id": "print-1"},
        {"type": "rating", "item_id": "100", "value": 5},
        {"type": "dislike", "item_id": "121"},
        {"type": "not_interested", "item_id": "294"},
        {"type": "not_interested", "item_id": "222"},
        {"type": "not_interested", "category": "Horror"},
    ]
    me = {"name": "Ann", "age_band": "25_34", "interests": ["Sci-Fi", "Comedy"]}
    authorization = bearer(session["access_token"])
    account.http.put("/v1/me", json=me, headers=authorization).raise_for_status()
    for one in did:  # one after the other, so that each has a time of its own
        account.http.post(
            "/v1/events", json={"events": [{**own, **one}]}, headers=authorization
        ).raise_for_status()


def crowd_in(target: Target) -> None:
    """People get lists, and choose from them: the more often the higher it stands."""
    dice = random.Random(7)
    with httpx.Client(base_url=target.url, headers=target.headers, timeout=30) as http:
        for user_id in _CROWD:
            asked = {"user_id": user_id, "n": 12}
            listed = http.post("/v1/recommendations", json=asked).raise_for_status().json()
            events: list[dict[str, Any]] = []
            for place, item in enumerate(listed["items"]):
                if dice.random() < 0.4 / (1 + place) ** 0.6:
                    events += journey(dice, item["item_id"])
            if dice.random() < 0.3:
                events += [{"type": "view", "item_id": (bought := dice.choice(_POSTERS))}]
                events += [{"type": "purchase", "item_id": bought}]
            if events:
                own = [{"user_id": user_id, **one} for one in events]
                http.post("/v1/events", json={"events": own}).raise_for_status()


def journey(dice: random.Random, item_id: str) -> list[dict[str, Any]]:
    """What somebody does who found an item: a look, and then one time in two something more."""
    stages = ("view", "click", "cart", "purchase")
    far = next((n for n in (1, 2, 3) if dice.random() > 0.45), 4)
    return [{"type": stage, "item_id": item_id} for stage in stages[:far]]


def date_back(target: Target, database_url: str) -> None:
    """Lets what was shown and chosen be older, since it takes 35 minutes until a list is counted.
    Returns once it is."""
    crowd = (list(_CROWD),)
    connection = psycopg2.connect(database_url)
    with connection.cursor() as cursor:

        def kept() -> bool:
            cursor.execute("SELECT count(*) FROM served_lists WHERE user_id = ANY(%s)", crowd)
            return bool(cursor.fetchall()[0][0] >= len(_CROWD))

        connection.autocommit = True
        until(kept, "the lists of the crowd are kept")
        cursor.execute(
            "UPDATE served_lists SET served_at = served_at - interval '40 minutes'"
            " WHERE user_id = ANY(%s)",
            crowd,
        )
        cursor.execute(
            "UPDATE interactions SET accepted_at = accepted_at - interval '40 minutes'"
            " WHERE user_id = ANY(%s) AND accepted_at > now() - interval '35 minutes'",
            crowd,
        )
    connection.close()

    def counted() -> bool:
        answer = httpx.get(f"{target.url}/v1/behaviour/click-through", headers=target.headers)
        return bool(answer.is_success and answer.json()["rows"])

    until(counted, "what was chosen of what was shown is counted")


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for a condition. Raises TimeoutError, naming it."""
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {_DEADLINE_S} s: {what}")
        time.sleep(0.5)


def _mailed(mails: Path, email: str) -> str:
    until(lambda: any(mails.glob(f"*{email}.eml")), f"a mail to {email}")
    (path,) = mails.glob(f"*{email}.eml")
    body = message_from_bytes(path.read_bytes(), policy=policy.default).get_body()
    assert body is not None
    found = re.search(r"#token=(\S+)", body.get_content())
    assert found is not None
    return found.group(1)
