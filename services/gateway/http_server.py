"""Runs the HTTP door on this process's event loop, as one resource among others.

A caller that keeps its connection open learns that the server leaves from an answer (`connection:
close`), before the connection ends. Otherwise its next request could cross the end on the wire, and
whoever sends an event cannot tell whether it arrived.
"""

import asyncio
import logging
import math
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from headrace.errors import Unavailable
from headrace.runtime.certificates import Certificates
from services.gateway.http_protocol import BoundedHttp

log = logging.getLogger(__name__)

_CLOSE = (b"connection", b"close")
_LOOK_EVERY_S = 0.05
_QUIET_S = 1.0
"""A connection without a request for so long is ended without a word: who asks every ten
milliseconds or every half a second is told, who asks once a minute hardly ever meets the end."""
_LEAVE_AT_MOST_S = 2.5


@asynccontextmanager
async def http_server(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    grace_s: float,
    certificates: Certificates | None = None,
) -> AsyncIterator[None]:
    """Serves while the block runs; afterwards has callers leave and lets requests finish.

    uvicorn's `serve` would take the process's signals, so its three parts are called here.
    certificates: for HTTPS; without, connections are not encrypted.

    Raises: Unavailable where the port is taken.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        loop="none",
        http=BoundedHttp,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=60,
    )
    config.load()
    if certificates is not None:
        config.ssl = renewed_context(certificates)
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    ticking = asyncio.create_task(server.main_loop())
    loop = asyncio.get_running_loop()
    try:
        yield
    finally:
        began = loop.time()
        await _leave(server, min(_LEAVE_AT_MOST_S, grace_s / 4))
        # What is left of the grace period is for requests under way.
        config.timeout_graceful_shutdown = math.ceil(grace_s - (loop.time() - began))
        server.should_exit = True
        await ticking
        await server.shutdown(sockets=[listener])


async def _leave(server: uvicorn.Server, at_most_s: float) -> None:
    """Answers with `connection: close` from now on, while somebody is likely to ask again."""
    server.config.encoded_headers.append(_CLOSE)
    server.server_state.default_headers.append(_CLOSE)
    loop = asyncio.get_running_loop()
    until = loop.time() + at_most_s
    while loop.time() < until and _asked_lately(server, loop.time()):  # noqa: ASYNC110 - not ours
        await asyncio.sleep(_LOOK_EVERY_S)


def _asked_lately(server: uvicorn.Server, now: float) -> bool:
    return any(
        isinstance(connection, BoundedHttp) and now - connection.asked_at < _QUIET_S
        for connection in server.server_state.connections
    )


def renewed_context(certificates: Certificates) -> ssl.SSLContext:
    """A context whose new connections get the certificate that is in use by then."""
    known = certificates.current()
    first = present = _context(certificates)

    def renew(connection: ssl.SSLObject, _name: str | None, _context_: ssl.SSLContext) -> None:
        nonlocal known, present
        material = certificates.current()
        if material is not known:
            try:
                present, known = _context(certificates), material
            except (OSError, ssl.SSLError):  # replaced once more in between; then the next one
                log.warning("certificate changed while it was read")
        connection.context = present

    # Called at each connection, also where the caller names no host.
    first.sni_callback = renew
    return first


def _context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificates.files.certificate, certificates.files.key)
    return context


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"port {port} of HEADRACE_HTTP_PORT cannot be opened: {error.strerror}"
        ) from error
    return listener
