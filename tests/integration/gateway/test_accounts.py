"""Accounts as people use them: register, confirm, log in, stay in, log out, recover."""

import asyncio

import httpx
import psycopg2
import pytest
from argon2 import PasswordHasher

from services.gateway.accounts.passwords import Passwords
from tests.integration.gateway.account_world import PASSWORD, MailBox, NewPerson, Person, Replica
from tests.unit.gateway.doors import ADMIN_KEY, READER_KEY

LIST = "/v1/users/{}/recommendations"


async def test_who_confirms_the_mail_has_an_account_and_is_in(ann: Person) -> None:
    assert ann.session["role"] == "shopper"
    account = (await ann.me()).json()
    assert (account["email"], account["name"]) == ("ann@example.com", "Ann")
    assert account["user_id"] == ann.session["user_id"]


async def test_an_account_opens_its_own_data_and_nobody_elses(
    ann: Person, replica: Replica
) -> None:
    own = LIST.format(ann.session["user_id"])
    assert (await ann.http.get(own, headers=ann.bearer)).status_code == 200
    for path in (LIST.format("259"), "/v1/keys"):
        assert (await ann.http.get(path, headers=ann.bearer)).status_code == 403
    asked = {"user_id": "259", "n": 3}
    refused = await ann.http.post("/v1/recommendations", json=asked, headers=ann.bearer)
    assert refused.status_code == 403
    mine = {"user_id": ann.session["user_id"], "item_id": "1", "type": "click"}
    for events, status in (([mine], 202), ([mine, {**mine, "user_id": "259"}], 403)):
        sent = await ann.http.post("/v1/events", json={"events": events}, headers=ann.bearer)
        assert sent.status_code == status
    assert len(replica.world.event_log.events) == 1


async def test_only_who_knows_the_password_confirms(person: NewPerson, mails: MailBox) -> None:
    """Who registers your address with a password of theirs cannot make you confirm it."""
    victim = person("victim@example.com")
    await victim.http.post("/v1/accounts", json={"email": victim.email, "password": "attacker's"})
    planted = await mails.token(1, victim.email)
    answer = await victim.post("confirm", token=planted, password=victim.password)
    assert answer.status_code == 401
    await victim.http.post(
        "/v1/accounts", json={"email": victim.email, "password": victim.password}
    )
    own = await mails.token(2, victim.email)
    assert (await victim.post("confirm", token=own, password=victim.password)).is_success
    late = await victim.post("confirm", token=planted, password="attacker's")
    assert late.status_code == 401
    stolen = await victim.post("log-in", email=victim.email, password="attacker's")
    assert stolen.status_code == 401


async def test_two_who_register_one_address_at_once_get_one_account(
    person: NewPerson, mails: MailBox, people: str
) -> None:
    rivals = [person("same@example.com") for _ in range(4)]
    for number, one in enumerate(rivals):
        one.password = f"password number {number}"
    answers = await asyncio.gather(
        *(
            one.http.post("/v1/accounts", json={"email": one.email, "password": one.password})
            for one in rivals
        )
    )
    assert {(a.status_code, a.text) for a in answers} == {(202, answers[0].text)}
    tokens = [await mails.token(number, "same@example.com") for number in range(1, 5)]
    tries = [
        one.post("confirm", token=token, password=one.password)
        for one in rivals
        for token in tokens
    ]
    confirmed = await asyncio.gather(*tries)
    assert sorted(a.status_code for a in confirmed) == [200] + [401] * 15
    with psycopg2.connect(people) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts")
        assert cursor.fetchone() == (1,)


async def test_letters_case_makes_no_other_address(ann: Person, mails: MailBox) -> None:
    other = Person(ann.http, ann.mails, "ANN@Example.COM")
    await other.log_in()
    assert other.session["user_id"] == ann.session["user_id"]
    again = {"email": "Ann@example.com", "password": ann.password}
    assert (await ann.http.post("/v1/accounts", json=again)).status_code == 202
    assert "have an account already" in await mails.text(1, "Ann@example.com")


async def test_a_refresh_token_is_good_for_once(ann: Person, replica: Replica) -> None:
    first = ann.session["refresh_token"]
    assert (await ann.refresh()).status_code == 200
    assert (await ann.me()).status_code == 200
    _used_earlier(replica, seconds=11)
    replayed = await ann.post("refresh", refresh_token=first)
    assert replayed.status_code == 401
    # One of the two was stolen, and nobody knows which: both are out.
    assert (await ann.refresh()).status_code == 401
    assert (await ann.me()).status_code == 401
    await ann.log_in()
    assert (await ann.me()).status_code == 200


async def test_windows_that_refresh_at_once_all_stay_in_and_one_long_after_ends_them(
    ann: Person, replica: Replica
) -> None:
    token = ann.session["refresh_token"]
    answers = await asyncio.gather(*(ann.post("refresh", refresh_token=token) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    following = [answer.json()["refresh_token"] for answer in answers]
    assert len({token, *following}) == 5
    _used_earlier(replica, seconds=9)
    assert (await ann.post("refresh", refresh_token=token)).status_code == 200
    _used_earlier(replica, seconds=2)  # its first use counts, not its last
    assert (await ann.post("refresh", refresh_token=token)).status_code == 401
    for ended in following:
        assert (await ann.post("refresh", refresh_token=ended)).status_code == 401


async def test_a_sign_in_that_has_ended_begins_by_no_token_again(ann: Person) -> None:
    first = ann.session["refresh_token"]
    assert (await ann.refresh()).status_code == 200
    await ann.post("log-out", refresh_token=first)
    assert (await ann.post("refresh", refresh_token=first)).status_code == 401
    assert (await ann.refresh()).status_code == 401


def _used_earlier(replica: Replica, *, seconds: int) -> None:
    """Moves the first use of every token that was used into the past."""
    with replica.database.transaction() as cursor:
        cursor.execute(
            "UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => %s)", (seconds,)
        )


async def test_who_logs_out_is_out_here_and_on_every_gateway(
    ann: Person, replica: Replica, people: str
) -> None:
    elsewhere = Replica(people, "")
    elsewhere.feed.round()
    async with elsewhere.running() as http:
        out = await ann.post("log-out", refresh_token=ann.session["refresh_token"])
        assert out.status_code == 204
        assert (await ann.me()).status_code == 401
        assert (await ann.refresh()).status_code == 401
        elsewhere.feed.round()
        assert (await http.get("/v1/me", headers=ann.bearer)).status_code == 401
    elsewhere.database.close()
    again = await ann.post("log-out", refresh_token=ann.session["refresh_token"])
    assert again.status_code == 204


async def test_logging_out_leaves_other_devices_unless_told_so(ann: Person) -> None:
    phone = Person(ann.http, ann.mails, ann.email)
    tablet = Person(ann.http, ann.mails, ann.email)
    await phone.log_in()
    await tablet.log_in()
    await ann.post("log-out", refresh_token=ann.session["refresh_token"])
    assert (await phone.me()).status_code == 200
    await phone.post("log-out", refresh_token=phone.session["refresh_token"], everywhere=True)
    assert (await tablet.me()).status_code == 401


async def test_a_changed_password_ends_every_other_sign_in(ann: Person, replica: Replica) -> None:
    phone = Person(ann.http, ann.mails, ann.email)
    await phone.log_in()
    body = {"password": "not the present one", "new_password": "another horse battery"}
    wrong = await ann.http.post("/v1/me/password", json=body, headers=ann.bearer)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "password")
    body["password"] = ann.password
    changed = await ann.http.post("/v1/me/password", json=body, headers=ann.bearer)
    assert changed.status_code == 200
    ann.session = changed.json()
    await asyncio.to_thread(replica.feed.round)
    assert (await phone.me()).status_code == (await phone.refresh()).status_code == 401
    assert (await ann.me()).status_code == 200
    assert (await ann.post("log-in", email=ann.email, password=ann.password)).status_code == 401
    ann.password = "another horse battery"
    await ann.log_in()
    assert "was changed" in await ann.mails.text(2, ann.email)


async def test_a_forgotten_password_is_replaced_once(ann: Person, replica: Replica) -> None:
    assert (await ann.post("recover", email=ann.email)).status_code == 202
    token = await ann.mails.token(2, ann.email)
    ann.password = "a horse that is new"
    reset = await ann.post("reset", token=token, password=ann.password)
    assert reset.status_code == 204
    await asyncio.to_thread(replica.feed.round)
    assert (await ann.me()).status_code == 401
    again = await ann.post("reset", token=token, password="somebody else's idea")
    assert again.status_code == 401
    await ann.log_in()


async def test_of_two_recoveries_at_once_one_counts(ann: Person) -> None:
    for _ in range(2):
        assert (await ann.post("recover", email=ann.email)).status_code == 202
    tokens = [await ann.mails.token(number, ann.email) for number in (2, 3)]
    answers = await asyncio.gather(
        *(ann.post("reset", token=one, password=f"new password {one}") for one in tokens)
    )
    assert sorted(answer.status_code for answer in answers) == [204, 401]


async def test_an_older_hash_is_renewed_at_log_in(ann: Person, people: str) -> None:
    older = PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1).hash(ann.password)
    with psycopg2.connect(people) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE accounts SET password_hash = %s", (older,))
    await ann.log_in()
    with psycopg2.connect(people) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT password_hash FROM accounts")
        (renewed,) = cursor.fetchone() or ("",)
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await Passwords().verify(renewed, ann.password)).right


async def test_roles_open_doors_and_changing_them_logs_out(ann: Person, replica: Replica) -> None:
    item = {"title": "Night Train"}
    refused = await ann.http.put("/v1/items/n-1", json=item, headers=ann.bearer)
    assert refused.status_code == 403
    body = {"email": ann.email, "role": "merchandiser"}
    for headers in (ann.bearer, READER_KEY):
        tried = await ann.http.post("/v1/accounts/role", json=body, headers=headers)
        assert tried.status_code == 403
    named = await ann.http.post("/v1/accounts/role", json=body, headers=ADMIN_KEY)
    assert named.json()["role"] == "merchandiser"
    await asyncio.to_thread(replica.feed.round)
    assert (await ann.me()).status_code == 401
    await ann.log_in()
    assert (await ann.http.put("/v1/items/n-1", json=item, headers=ann.bearer)).is_success
    nobody = {"email": "nobody@example.com", "role": "operator"}
    unknown = await ann.http.post("/v1/accounts/role", json=nobody, headers=ADMIN_KEY)
    assert unknown.status_code == 404


async def test_a_profile_is_kept_as_it_was_written(ann: Person) -> None:
    name = "<script>alert(1)</script>'; DROP TABLE accounts; --"
    body = {"name": name, "age_band": "25_34", "interests": ["Sci-Fi", "Comedy", "Sci-Fi"]}
    written = await ann.http.put("/v1/me", json=body, headers=ann.bearer)
    assert written.status_code == 200
    assert (await ann.me()).json() == written.json()
    assert written.json()["name"] == name
    assert written.json()["interests"] == ["Sci-Fi", "Comedy"]
    emptied = await ann.http.put("/v1/me", json={}, headers=ann.bearer)
    assert (emptied.json()["age_band"], emptied.json()["interests"]) == (None, [])


async def test_without_a_mail_server_nobody_registers_and_it_says_why(people: str) -> None:
    replica = Replica(people, "")
    async with replica.running() as http:
        body = {"email": "ann@example.com", "password": "correct horse battery"}
        answer = await http.post("/v1/accounts", json=body)
    replica.database.close()
    assert answer.status_code == 503
    assert "HEADRACE_SMTP_URL" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/me", "/v1/me/password"])
async def test_a_key_is_no_person(http: httpx.AsyncClient, path: str) -> None:
    body = {"password": PASSWORD, "new_password": PASSWORD}
    method = "POST" if path.endswith("password") else "GET"
    answer = await http.request(method, path, json=body, headers=ADMIN_KEY)
    assert answer.status_code == 403
    assert (await http.get("/v1/me")).status_code == 401
