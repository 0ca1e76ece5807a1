"""Sends mails over SMTP, behind the request that caused them."""

import logging
import smtplib
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from prometheus_client import Counter

from headrace.errors import Unavailable
from services.gateway.accounts.mails import Mail

log = logging.getLogger(__name__)

MAILS = Counter("headrace_gateway_mails_total", "Mails by what became of them.", ["outcome"])
# From the start on, so that a rate sees the first one.
for _outcome in ("sent", "refused", "expired"):
    MAILS.labels(_outcome)

_WAITING = 1_000
_TIMEOUT_S = 10.0
# As long as the shortest-lived token that a mail carries is of use.
_KEPT_S = 1_500.0
_PAUSE_S = (0.2, 30.0)  # first and longest, while the server is away


@dataclass(frozen=True)
class SmtpServer:
    """`smtp://`, `smtp+starttls://` or `smtps://`, then `user:password@host:port`."""

    scheme: str
    host: str
    port: int
    user: str
    password: str

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Raises: ValueError."""
        parts = urlsplit(url)
        ports = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
        if parts.scheme not in ports or not parts.hostname:
            raise ValueError(
                "must be smtp://host:port, smtp+starttls://user:password@host:port, or smtps://…"
            )
        return cls(
            parts.scheme,
            parts.hostname,
            parts.port or ports[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def connect(self) -> smtplib.SMTP:
        """A connection, encrypted and logged in as the URL says."""
        if self.scheme == "smtps":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=_TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_S)
        try:
            if self.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


class Postman:
    """Sends mails one after the other in a thread, and again while the server is away.

    They are in memory: what was not sent when the process dies must be asked for again.
    """

    def __init__(self, server: SmtpServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._waiting: deque[tuple[float, Mail]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="mail", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Lets those that wait go, in so many seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def send(self, mail: Mail) -> None:
        """Returns at once. Raises: Unavailable where too many wait."""
        with self._changed:
            if len(self._waiting) >= _WAITING:
                raise Unavailable("too many mails wait for the mail server; try again later")
            self._waiting.append((time.monotonic() + _KEPT_S, mail))
            self._changed.notify()

    def _run(self) -> None:
        pause = _PAUSE_S[0]
        while (first := self._first()) is not None:
            until, mail = first
            outcome = self._try(mail)
            if outcome == "deferred" and time.monotonic() < until:
                with self._changed:
                    # To the end: what the server defers must not hold up the others.
                    self._waiting.append(first)
                    if self._changed.wait_for(lambda: self._stopping, pause):
                        return
                pause = min(2 * pause, _PAUSE_S[1])
                continue
            pause = _PAUSE_S[0]
            MAILS.labels("expired" if outcome == "deferred" else outcome).inc()

    def _first(self) -> tuple[float, Mail] | None:
        """The next one; None: stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            return self._waiting.popleft() if self._waiting else None

    def _try(self, mail: Mail) -> str:
        """`sent`, `refused` for good, or `deferred`. Addresses are not logged."""
        try:
            with self._server.connect() as server:
                server.send_message(_message(mail, self._sender))
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            return self._failed(f"recipient refused with {codes}", all(c >= 500 for c in codes))
        except smtplib.SMTPResponseException as error:
            reason = f"refused with {error.smtp_code}"
            # A wrong password of ours is mended by an operator, and the mail waits for it.
            of_ours = isinstance(error, smtplib.SMTPAuthenticationError)
            return self._failed(reason, error.smtp_code >= 500 and not of_ours)
        except smtplib.SMTPNotSupportedError as error:
            return self._failed(str(error), for_good=True)
        except (OSError, smtplib.SMTPException) as error:
            return self._failed(f"{type(error).__name__}: {error}", for_good=False)
        return "sent"

    def _failed(self, reason: str, for_good: bool) -> str:
        log.warning("a mail was not sent: %s", reason, extra={"for_good": for_good})
        return "refused" if for_good else "deferred"


def _message(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip(">") or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
