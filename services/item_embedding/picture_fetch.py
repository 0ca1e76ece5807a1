"""Getting pictures from web servers that the operator names, and from no others."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Collection
from enum import StrEnum
from urllib.parse import SplitResult, quote, urlsplit

from headrace.pictures.pixels import Pixels
from headrace.pictures.reading import Flaw, reduced

MAX_BYTES = 5 * 2**20
"""Eight of them at once take 40 MB. A shop shows smaller ones."""
WITHIN_S = 5.0
"""From the first word to the last. Less than a process has to stop."""
_TYPES = {"image/jpeg", "image/png", "image/webp", "image/gif"}
_BLOCK = 65_536
_SAFE = "/%:@!$&'()*+,;=~?"


class Miss(StrEnum):
    """Why a server gave no picture."""

    OTHER_ORIGIN = "other_origin"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    NOT_THERE = "not_there"
    REDIRECTED = "redirected"
    OTHER_TYPE = "other_type"


PASSING = {Miss.UNREACHABLE, Miss.TIMED_OUT, Miss.NOT_THERE}
"""Another time it may be there: an item is often announced before its picture."""


class PictureFetch:
    """Asks once, follows no redirect, takes no cookies and no proxy. Safe from any thread."""

    def __init__(self, origins: Collection[str], within_s: float = WITHIN_S) -> None:
        """origins: `https://host` or `https://host:port`, as URLs begin."""
        self._origins = frozenset(origins)
        self._within_s = within_s
        self._tls = ssl.create_default_context()
        # Of the greatest pictures a decoder takes 100 MB: one at a time.
        self._decoding = threading.Lock()

    def get(self, url: str) -> Pixels | Flaw | Miss:
        """The picture at `url`, made small."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return Miss.OTHER_ORIGIN
        if f"{parts.scheme}://{parts.netloc}" not in self._origins:
            return Miss.OTHER_ORIGIN
        deadline = time.monotonic() + self._within_s
        try:
            content = self._content(parts, deadline)
        except (OSError, http.client.HTTPException, ValueError):
            content = Miss.UNREACHABLE
        # Whatever came by then was cut: headers without their end are taken for whole.
        if time.monotonic() >= deadline:
            return Miss.TIMED_OUT
        if not isinstance(content, bytes):
            return content
        with self._decoding:
            return reduced(content)

    def _content(self, parts: SplitResult, deadline: float) -> bytes | Flaw | Miss:
        """Raises: OSError, HTTPException, ValueError where the server cannot be spoken to."""
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        with contextlib.ExitStack() as stack:
            line = stack.enter_context(socket.create_connection((host, port), self._within_s))
            if secure:
                line = stack.enter_context(
                    self._tls.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
                )
            # A timeout of the socket begins anew with each byte that a slow server sends.
            end = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [line])
            end.daemon = True
            end.start()
            stack.callback(end.cancel)
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            connection = http.client.HTTPConnection(host, port)
            connection.sock = line
            connection.request("GET", _target(parts), headers=_headers(parts))
            response = stack.enter_context(connection.getresponse())
            return _body(response)


def _body(response: http.client.HTTPResponse) -> bytes | Flaw | Miss:
    if miss := _miss(response):
        return miss
    told = response.length
    if told is not None and told > MAX_BYTES:
        return Flaw.TOO_LARGE
    content = bytearray()
    while block := response.read(_BLOCK):
        content += block
        if len(content) > MAX_BYTES:
            return Flaw.TOO_LARGE
    if told is not None and len(content) < told:
        return Miss.UNREACHABLE
    return bytes(content)


def _miss(response: http.client.HTTPResponse) -> Miss | None:
    """What the first lines of an answer say already."""
    if 300 <= response.status < 400:
        return Miss.REDIRECTED
    if response.status != 200:
        return Miss.NOT_THERE
    return None if response.headers.get_content_type() in _TYPES else Miss.OTHER_TYPE


def _target(parts: SplitResult) -> str:
    path = quote(parts.path, safe=_SAFE)
    return f"{path}?{quote(parts.query, safe=_SAFE)}" if parts.query else path


def _headers(parts: SplitResult) -> dict[str, str]:
    return {
        "Host": parts.netloc,
        "User-Agent": "headrace",
        "Accept": ", ".join(sorted(_TYPES)),
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _cut(line: socket.socket) -> None:
    """Ends what another thread is reading. An SSLSocket's own `shutdown` would take its
    encryption away under that thread."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
