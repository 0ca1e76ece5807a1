"""Guessing, enumeration, and input that is none."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from headrace.local.mail import LocalMail
from headrace.local.ports import HOST, free_ports
from tests.integration.gateway.account_world import PASSWORD, MailBox, NewPerson, Person, Replica
from tests.unit.gateway.doors import EVENTS_KEY

UNKNOWN = "nobody@example.com"


async def test_answers_do_not_tell_who_has_an_account(ann: Person) -> None:
    for what in ("", "recover"):
        body: dict[str, Any] = {"password": PASSWORD} if what == "" else {}
        path = f"/v1/accounts/{what}".rstrip("/")
        known = await ann.http.post(path, json={**body, "email": ann.email})
        unknown = await ann.http.post(path, json={**body, "email": UNKNOWN})
        assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
        assert known.headers.keys() == unknown.headers.keys()
    known = await ann.post("log-in", email=ann.email, password="wrong password")
    unknown = await ann.post("log-in", email=UNKNOWN, password="wrong password")
    for answer in (known, unknown):
        assert answer.status_code == 401
    assert known.json()["detail"] == unknown.json()["detail"]


async def test_the_work_of_a_refused_log_in_does_not_tell_either(ann: Person) -> None:
    """Hashing is most of it: without it an unknown address answers ten times as fast."""

    async def seconds(email: str) -> float:
        began = time.process_time()
        await ann.post("log-in", email=email, password="wrong password")
        return time.process_time() - began

    known = statistics.median([await seconds(ann.email) for _ in range(4)])
    unknown = statistics.median([await seconds(UNKNOWN) for _ in range(4)])
    assert unknown > known / 3


async def test_the_owner_of_an_unknown_address_is_told_that_there_is_no_account(
    person: NewPerson, mails: MailBox
) -> None:
    await person(UNKNOWN).post("recover", email=UNKNOWN)
    assert "no account" in await mails.text(1, UNKNOWN)


@pytest.mark.parametrize("known", [True, False])
async def test_guessing_locks_an_address_for_the_guesser_alone(
    ann: Person, replica: Replica, known: bool
) -> None:
    email = ann.email if known else UNKNOWN
    guesses = await asyncio.gather(
        *(ann.post("log-in", email=email, password=f"guess {n}") for n in range(12))
    )
    assert sorted(answer.status_code for answer in guesses) == [401] * 5 + [429] * 7
    locked = await ann.post("log-in", email=email, password=ann.password)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= 900
    async with replica.client("198.51.100.1") as elsewhere:
        body = {"email": email, "password": ann.password}
        own = await elsewhere.post("/v1/accounts/log-in", json=body)
    assert own.status_code == (200 if known else 401)


async def test_who_mistypes_and_then_gets_in_starts_over(ann: Person) -> None:
    for _ in range(3):
        for _ in range(4):
            await ann.post("log-in", email=ann.email, password="mistyped password")
        await ann.log_in()


async def test_one_network_cannot_try_many_addresses_without_end(ann: Person) -> None:
    for n in range(30):
        body = {"email": f"p{n}@example.com", "password": PASSWORD}
        assert (await ann.http.post("/v1/accounts", json=body)).status_code in (202, 429)
    body = {"email": "one-more@example.com", "password": PASSWORD}
    assert (await ann.http.post("/v1/accounts", json=body)).status_code == 429
    # A shop's backend registers its own people: it shows a key.
    served = await ann.http.post("/v1/accounts", json=body, headers=EVENTS_KEY)
    assert served.status_code == 202


async def test_nobody_is_flooded_with_mails(ann: Person, mails: MailBox) -> None:
    answers = [await ann.post("recover", email=ann.email) for _ in range(7)]
    # The registration's mail was the first of five.
    assert [answer.status_code for answer in answers] == [202] * 4 + [429] * 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "ann@example.com", "password": "short"}, "password"),
        ({"email": "ann@example.com", "password": "x" * 257}, "password"),
        ({"email": "ann@example.com", "password": 1234567890}, "password"),
        ({"email": "ann@example.com"}, "password"),
        ({"email": "ann", "password": PASSWORD}, "email"),
        ({"email": "ann@", "password": PASSWORD}, "email"),
        ({"email": "ann@example.com\r\nBcc: all@example.com", "password": PASSWORD}, "email"),
        ({"email": f"{'a' * 300}@example.com", "password": PASSWORD}, "email"),
        ({"email": "ann@example.com", "password": PASSWORD, "name": "a\u0000b"}, "name"),
        ({"email": "ann@example.com", "password": PASSWORD, "role": "operator"}, "role"),
    ],
)
async def test_a_wrong_registration_is_named_and_never_shown_again(
    http: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await http.post("/v1/accounts", json=body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert str(body.get("password")) not in answer.text


async def test_a_password_of_a_megabyte_is_refused_before_it_is_hashed(
    http: httpx.AsyncClient,
) -> None:
    body = {"email": "ann@example.com", "password": "x" * 1_000_000}
    for path in ("/v1/accounts", "/v1/accounts/log-in"):
        assert (await http.post(path, json=body)).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        {"age_band": "old"},
        {"interests": ["x"] * 21},
        {"interests": ["a\u0000b"]},
        {"name": "two\nlines"},
        {"email": "other@example.com"},
        {"role": "operator"},
    ],
)
async def test_a_wrong_profile_is_refused(ann: Person, body: dict[str, Any]) -> None:
    answer = await ann.http.put("/v1/me", json=body, headers=ann.bearer)
    assert answer.status_code == 400


async def test_a_person_cannot_guess_the_present_password_with_a_stolen_token(
    ann: Person,
) -> None:
    body = {"password": "a wrong guess", "new_password": "0123456789"}
    answers = [
        await ann.http.post("/v1/me/password", json=body, headers=ann.bearer) for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]


async def test_a_mail_waits_for_a_mail_server_that_is_away(
    people: str, mails: MailBox, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    replica = Replica(people, f"smtp://{HOST}:{port}")
    async with replica.running() as http:
        body = {"email": "early@example.com", "password": PASSWORD}
        assert (await http.post("/v1/accounts", json=body)).status_code == 202
        late = LocalMail(tmp_path / "mails", port)
        late.start()
        assert await mails.token(1, "early@example.com")
        late.stop()
    replica.database.close()
