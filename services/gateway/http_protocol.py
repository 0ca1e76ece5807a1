"""What is refused before it is a request: heads without end, and what is not HTTP.

uvicorn reads heads of any length into memory, and answers what it cannot read in plain text.
"""

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.gateway.problems import HEAD_TOO_LARGE, INVALID, MEDIA_TYPE, Kind, problem

HEAD_BYTES = 60_000
"""Of path, query and headers together. A filter of 20,000 characters fits, three bytes each."""
_LINGER_S = 1.0


class HeadTooLarge(Exception):
    """Ends the parser's work on a request."""


class BoundedHttp(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = False
        self._head_bytes = 0
        self._refused: Kind | None = None
        self.asked_at = self.loop.time()
        """When it was made, or its last request began."""

    def data_received(self, data: bytes) -> None:
        if self._refused is not None:
            return
        continued = self._in_head
        super().data_received(data)
        if continued and self._in_head and self._refused is None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self.asked_at = self.loop.time()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)
            raise HeadTooLarge
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What the parser gave up on, because it is no HTTP or because it was refused here."""
        if self._refused is None:
            self._refuse(INVALID)

    def _refuse(self, kind: Kind) -> None:
        self._refused = kind
        answer = problem(kind, _DETAILS[kind])
        head = [
            f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}",
            f"content-type: {MEDIA_TYPE}",
            f"content-length: {len(answer.body)}",
            "connection: close",
        ]
        self.transport.write("\r\n".join([*head, "", ""]).encode() + bytes(answer.body))
        # Closed at once, with what the caller still sends unread, the answer would be lost.
        if self.transport.can_write_eof():  # TLS cannot be closed on one side alone
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)


_DETAILS = {
    HEAD_TOO_LARGE: f"path, query and headers must have at most {HEAD_BYTES} bytes together",
    INVALID: "this is not HTTP/1.1",
}
