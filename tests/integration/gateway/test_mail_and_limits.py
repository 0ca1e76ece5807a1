"""Mail servers that refuse, and a Redis that is away."""

import asyncio
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from headrace.errors import RateLimited
from headrace.local.mail import LocalMail
from headrace.local.ports import HOST, free_ports
from services.gateway.accounts.limits import GUESSES, Limits, network
from services.gateway.accounts.mails import Mail
from services.gateway.accounts.smtp import Postman, SmtpServer
from tests.integration.gateway.account_world import MailBox


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
