"""A mail server for this machine: keeps every mail as a file instead of delivering it."""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from headrace.local.ports import HOST, require_free


class LocalMail:
    """Speaks SMTP on the loopback interface, in threads of this process.

    folder: where the mails go, one `.eml` file each, named by time and recipient.
    say: told of each.
    """

    def __init__(self, folder: Path, port: int, say: Callable[[str], None] = print) -> None:
        self._folder = folder
        self._port = port
        self._say = say
        self._number = itertools.count(1)
        self._controller: Controller | None = None

    def start(self) -> None:
        """Nothing happens if it runs. Raises: PortTaken."""
        if self._controller is not None:
            return
        require_free(self._port, "local smtp", "HEADRACE_LOCAL_SMTP_PORT")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._controller = Controller(self, hostname=HOST, port=self._port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keeps a mail."""
        content = envelope.original_content or b""
        subject = message_from_bytes(content, policy=policy.default)["subject"]
        for recipient in envelope.rcpt_tos:
            path = self._folder / self._name(recipient)
            # Moved into place once it is whole: who watches the folder reads it at once.
            scratch = path.with_suffix(".new")
            scratch.write_bytes(content)
            scratch.replace(path)
            self._say(f"Mail to {recipient}: {subject}\n  {path}")
        return "250 Kept"

    def _name(self, recipient: str) -> str:
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        plain = re.sub(r"[^A-Za-z0-9@.-]", "_", recipient)[:100]
        return f"{moment}-{next(self._number):04d}-{plain}.eml"
