"""Runs the HTTP door on this process's event loop, as one resource among others."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from headrace.errors import Unavailable
from services.gateway.http_protocol import BoundedHttp


@asynccontextmanager
async def http_server(app: ASGIApp, *, host: str, port: int, grace_s: float) -> AsyncIterator[None]:
    """Serves while the block runs; afterwards ends idle connections and lets requests finish.

    uvicorn's `serve` would take the process's signals, so its three parts are called here.

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
