"""A shop's web server with pictures, some of which are none."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Thread

from headrace.local.ports import HOST
from tests.pictures import BLUE, RED, bomb, drawn, encoded

RED_DISC, BLUE_CROSS = encoded(drawn(RED, "disc")), encoded(drawn(BLUE, "cross"), "JPEG")
HUGE = 6 * 2**20
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers a path as `ANSWERS` says."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Shop)
        self.server.asked.append(self.path)
        with suppress(OSError):  # whoever asked may have gone
            ANSWERS.get(self.path, _not_found)(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""

    def give(self, status: int, kind: str, body: bytes, *, told: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "/red.png")
        self.send_header("Content-Length", str(len(body) if told is None else told))
        self.end_headers()
        self.wfile.write(body)


def _not_found(handler: Handler) -> None:
    handler.give(404, "image/png", RED_DISC)


def _endless(handler: Handler) -> None:
    """Does not say how much will come."""
    handler.send_response(200)
    handler.send_header("Content-Type", "image/png")
    handler.end_headers()
    for _ in range(HUGE // 65_536):
        handler.wfile.write(bytes(65_536))


def _slow(handler: Handler) -> None:
    """A header every now and then, so that no read waits for long."""
    handler.send_response(200)
    for number in range(200):
        handler.send_header(f"X-{number}", "wait")
        handler.flush_headers()
        time.sleep(0.05)


ANSWERS: dict[str, Answer] = {
    "/red.png": lambda to: to.give(200, "image/png", RED_DISC),
    "/blue.jpg?size=l&x=%C3%A9": lambda to: to.give(200, "image/jpeg", BLUE_CROSS),
    "/moved.png": lambda to: to.give(302, "image/png", b""),
    "/page.png": lambda to: to.give(200, "text/html; charset=utf-8", b"<html>"),
    "/text.png": lambda to: to.give(200, "image/png", b"no picture"),
    "/half.png": lambda to: to.give(200, "image/png", RED_DISC[:300]),
    "/bomb.png": lambda to: to.give(200, "image/png", bomb()),
    "/huge.png": lambda to: to.give(200, "image/png", b"", told=HUGE),
    "/endless.png": _endless,
    "/cut.png": lambda to: to.give(200, "image/png", RED_DISC[:300], told=len(RED_DISC)),
    "/slow.png": _slow,
}


class Shop(ThreadingHTTPServer):
    """`asked`: the paths that somebody wanted."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.asked: list[str] = []

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.server_port}"


@contextmanager
def shop(certificate: SSLContext | None = None) -> Iterator[Shop]:
    """Open until the end; with a certificate it speaks TLS."""
    server = Shop()
    if certificate is not None:
        server.socket = certificate.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
