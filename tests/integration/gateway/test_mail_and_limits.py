"""Mail servers that refuse, and a Redis that gateways share, and that may be away."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import NoneType

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from headrace.errors import RateLimited
from headrace.local.mail import LocalMail
from headrace.local.ports import HOST, free_ports
from services.gateway.accounts.limits import GUESSES, Limits, network
from services.gateway.accounts.mails import Mail
from services.gateway.accounts.smtp import Postman, SmtpServer
from tests.integration.gateway.account_world import MailBox, Replica
from tests.valkey_server import ValkeyServer


class Choosy(LocalMail):
    """Knows nobody called `gone`, and is busy when `busy` is written to for the first time."""

    was_busy = False

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address.startswith("gone"):
            return "550 No such person"
        if address.startswith("busy") and not self.was_busy:
            self.was_busy = True
            return "451 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"


async def test_a_mail_that_is_refused_is_dropped_and_one_that_is_deferred_comes_again(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    server = Choosy(tmp_path, port)
    server.start()
    postman = Postman(SmtpServer.parse(f"smtp://{HOST}:{port}"), "Shop <shop@example.com>")
    postman.start()
    for name in ("gone", "busy", "ann"):
        postman.send(Mail(f"{name}@example.com", "Hello", f"To {name}."))
    mails = MailBox(tmp_path)
    assert "To ann." in await mails.text(1, "ann@example.com")
    assert "To busy." in await mails.text(1, "busy@example.com")
    await asyncio.to_thread(postman.stop, 10)
    await asyncio.to_thread(server.stop)
    assert mails.count("gone@example.com") == 0


@pytest.mark.parametrize(
    ("url", "scheme", "port", "user"),
    [
        ("smtp://mail:25", "smtp", 25, ""),
        ("smtp+starttls://u%40x:p@mail", "smtp+starttls", 587, "u@x"),
        ("smtps://mail", "smtps", 465, ""),
    ],
)
def test_a_mail_server_is_named_by_a_url(url: str, scheme: str, port: int, user: str) -> None:
    server = SmtpServer.parse(url)
    assert (server.scheme, server.host, server.port, server.user) == (scheme, "mail", port, user)


@pytest.mark.parametrize("url", ["mail:25", "http://mail", "smtp://"])
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://"):
        SmtpServer.parse(url)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    (port,) = free_ports(1)
    with ValkeyServer(tmp_path, port) as server:
        yield server


async def taken(limits: Limits, times: int, whose: str) -> int:
    """Of so many tries at once, those that were within the quota."""
    tries = [limits.take(GUESSES, whose) for _ in range(times)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(one) for one in answers} <= {NoneType, RateLimited}
    return answers.count(None)


async def test_gateways_count_together_in_a_redis_and_apart_while_it_is_away(
    valkey: ValkeyServer,
) -> None:
    first, second = Limits(valkey.url), Limits(valkey.url)
    assert await taken(first, 3, "ann") == 3
    assert await taken(second, 4, "ann") == 2
    assert sum(await asyncio.gather(taken(first, 20, "bob"), taken(second, 20, "bob"))) == 5
    await second.forgive(GUESSES, "ann")
    assert await taken(first, 1, "ann") == 1
    await asyncio.to_thread(valkey.stop)
    assert [await taken(one, 6, "cat") for one in (first, second)] == [5, 5]
    await asyncio.to_thread(valkey.start)
    assert [await taken(one, 3, "dan") for one in (first, second)] == [3, 2]


async def test_a_guesser_is_locked_out_of_every_gateway(
    people: str, smtp_port: int, valkey: ValkeyServer
) -> None:
    guess = {"email": "ann@example.com", "password": "a wrong guess"}
    answers: list[int] = []
    for times in (3, 3):
        replica = Replica(people, f"smtp://{HOST}:{smtp_port}", rate_limits_url=valkey.url)
        async with replica.running() as http:
            tries = [http.post("/v1/accounts/log-in", json=guess) for _ in range(times)]
            answers += [answer.status_code for answer in await asyncio.gather(*tries)]
        replica.database.close()
    assert sorted(answers) == [401] * 5 + [429]


async def test_while_redis_is_away_each_gateway_counts_for_itself() -> None:
    limits = Limits("redis://127.0.0.1:1")
    for _ in range(5):
        await limits.take(GUESSES, "ann")
    with pytest.raises(RateLimited) as limited:
        await limits.take(GUESSES, "ann")
    assert 0 < limited.value.retry_after_s <= 900
    await limits.forgive(GUESSES, "ann")
    await limits.take(GUESSES, "ann")


def test_a_household_is_one_network() -> None:
    assert network("203.0.113.7") == "203.0.113.7"
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2::9") != network("2001:db8:1:3::9")
    assert network(None) == network("") == "unknown"
