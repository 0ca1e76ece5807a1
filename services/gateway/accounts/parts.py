"""Puts the parts of accounts together, and starts and stops what runs beside requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from headrace.errors import Unavailable
from headrace.store.database import Database
from services.gateway.accounts.account_store import AccountStore
from services.gateway.accounts.application_keys import ApplicationKeys
from services.gateway.accounts.key_store import KeyStore
from services.gateway.accounts.limits import Limits
from services.gateway.accounts.mails import Mail, Mails
from services.gateway.accounts.passwords import Passwords
from services.gateway.accounts.service import Accounts
from services.gateway.accounts.sign_in_store import SignInStore
from services.gateway.accounts.smtp import Postman, SmtpServer
from services.gateway.accounts.visit_store import VisitStore
from services.gateway.accounts.visits import Send, Visits
from services.gateway.directory import Directory
from services.gateway.settings import GatewaySettings
from services.gateway.tokens import Tokens


@dataclass(frozen=True)
class AccountParts:
    """What the doors need."""

    accounts: Accounts
    visits: Visits
    keys: ApplicationKeys
    limits: Limits


@asynccontextmanager
async def account_parts(
    settings: GatewaySettings,
    database: Database,
    tokens: Tokens,
    directory: Directory,
    send: Send,
) -> AsyncIterator[AccountParts]:
    """Runs while the block runs; afterwards mails that wait are sent.

    send: as in `Visits`.
    """
    passwords = Passwords()
    limits = Limits(settings.rate_limits_url)
    visits = Visits(VisitStore(database), tokens, limits, send)
    visits.start()
    post, stop = _post(settings)
    try:
        yield AccountParts(
            Accounts(
                accounts=AccountStore(database),
                sign_ins=SignInStore(database),
                passwords=passwords,
                tokens=tokens,
                directory=directory,
                limits=limits,
                mails=Mails(settings.public_url),
                visits=visits,
                post=post,
            ),
            visits,
            ApplicationKeys(KeyStore(database), directory),
            limits,
        )
    finally:
        await visits.stop(settings.shutdown_grace_s)
        await asyncio.to_thread(stop)
        passwords.close()


def _post(settings: GatewaySettings) -> tuple[Callable[[Mail], None], Callable[[], None]]:
    """What sends mails, and what stops it."""
    if not settings.smtp_url:
        return _no_mail, lambda: None
    postman = Postman(SmtpServer.parse(settings.smtp_url), settings.mail_from)
    postman.start()
    return postman.send, lambda: postman.stop(settings.shutdown_grace_s)


def _no_mail(_mail: Mail) -> None:
    raise Unavailable("no mail server is set up: HEADRACE_SMTP_URL is missing")
