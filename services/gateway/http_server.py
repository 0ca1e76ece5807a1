"""Runs the HTTP door on this process's event loop, as one resource among others."""

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


@asynccontextmanager
async def http_server(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    grace_s: float,
    certificates: Certificates | None = None,
) -> AsyncIterator[None]:
    """Serves while the block runs; afterwards ends idle connections and lets requests finish.

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
        timeout_graceful_shutdown=math.ceil(grace_s),
    )
    config.load()
    if certificates is not None:
        config.ssl = renewed_context(certificates)
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield
    finally:
        server.should_exit = True
        await ticking
        await server.shutdown(sockets=[listener])


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
