"""A gRPC server with what every service offers: health, reflection, metrics, context, errors."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import Counter, Histogram

from headrace.contracts.once import ONCE_PATHS
from headrace.errors import HeadraceError, InvalidInput, Unavailable
from headrace.runtime import context
from headrace.runtime.callers import check_caller
from headrace.runtime.certificates import Certificates, Material
from headrace.runtime.grpc_channel import MESSAGE_BYTES
from headrace.runtime.metrics import GRPC_REQUESTS, GRPC_SECONDS
from headrace.runtime.readiness import Readiness
from headrace.runtime.rpc_errors import message_of, to_status
from headrace.runtime.tracing import TRACING, OpenSpan

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
    Call = grpc.aio.ServicerContext[Any, Any]
    Allow = Callable[[Mapping[str, Iterable[bytes]]], None]
    Parse = Callable[[bytes], Any] | None

log = logging.getLogger(__name__)

_HEALTH_PERIOD_S = 0.25
CONNECTION_S = 60.0
"""A connection goes on with the certificates that it began with, and to the server that it found,
for so long at most: a tenth more or less, so that not all come again at once. A caller looks names
up when a connection ends: so long does a new replica wait for its share of the calls."""
_OURS = "/headrace."
_FAILURES = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Those that OpenTelemetry counts as the server's own."""


@asynccontextmanager
async def grpc_server(
    *,
    host: str,
    port: int,
    services: Sequence[str],
    register: Callable[[grpc.aio.Server], None],
    readiness: Readiness,
    grace_s: float,
    certificates: Certificates | None = None,
    connection_s: float = CONNECTION_S,
) -> AsyncIterator[grpc.aio.Server]:
    """Serves while the block runs; afterwards refuses new calls and lets those under way end.

    services: full names, for health and reflection. Health follows `readiness`.
    certificates: for TLS; with an authority, callers need a certificate of it, and are let in by
        `headrace.runtime.callers`. Without, connections are not encrypted.
    connection_s: after which a caller has to connect anew; its calls under way end as they would.
    Raises: Unavailable where the port is taken.
    """
    known_callers = certificates is not None and bool(certificates.files.authority)
    server = grpc.aio.server(
        interceptors=[CallInterceptor(known_callers=known_callers)],
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
            ("grpc.max_connection_age_ms", int(connection_s * 1_000)),
        ],
    )
    register(server)
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    reflection.enable_server_reflection(
        [*services, health.SERVICE_NAME, reflection.SERVICE_NAME], server
    )
    try:
        if certificates is None:
            server.add_insecure_port(f"{host}:{port}")
        else:
            server.add_secure_port(f"{host}:{port}", _credentials(certificates))
    except RuntimeError as error:
        raise Unavailable(
            f"port {port} of HEADRACE_GRPC_PORT cannot be opened: is another process using it?"
        ) from error
    await server.start()
    follow = asyncio.create_task(_follow(readiness, health_servicer, ["", *services]))
    try:
        yield server
    finally:
        follow.cancel()
        await health_servicer.enter_graceful_shutdown()
        await server.stop(grace_s)


def registering(
    servicers: Sequence[Callable[[grpc.aio.Server], None]],
) -> Callable[[grpc.aio.Server], None]:
    """For `grpc_server`, where there are several. servicers: each adds one to a server."""

    def register(server: grpc.aio.Server) -> None:
        for add in servicers:
            add(server)

    return register


def _credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Asked at each new connection whether the certificate is another."""

    def configuration(material: Material) -> Any:
        return grpc.ssl_server_certificate_configuration(
            [(material.key, material.certificate)], material.authority or None
        )

    given = certificates.current()

    def renewed() -> Any:
        nonlocal given
        present = certificates.current()
        if present is given:
            return None
        given = present
        return configuration(present)

    return grpc.dynamic_ssl_server_credentials(
        configuration(given), renewed, bool(certificates.files.authority)
    )


async def _follow(
    readiness: Readiness, servicer: health.aio.HealthServicer, names: Sequence[str]
) -> None:
    serving: bool | None = None
    while True:
        ready = not readiness.missing()
        if ready is not serving:
            serving = ready
            status = health_pb2.HealthCheckResponse
            for name in names:
                await servicer.set(name, status.SERVING if ready else status.NOT_SERVING)
        await asyncio.sleep(_HEALTH_PERIOD_S)


_KINDS: Mapping[tuple[bool, bool], tuple[str, Callable[..., Handler]]] = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}
"""What a handler calls its behaviour and how one is made, by whether there are many requests and
many answers."""


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Around each call: request context, metrics, and errors as status codes.

    known_callers: callers have certificates, and these must allow the call.
    """

    def __init__(self, *, known_callers: bool = False) -> None:
        self._known_callers = known_callers
        self._observed: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        path = handler_call_details.method
        known = self._observed.get(path)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        observed = self._around(path, handler)
        # Of methods that there are: as many as the services have.
        self._observed[path] = observed
        return observed

    def _around(self, path: str, handler: Handler) -> Handler:
        streams = handler.request_streaming, handler.response_streaming
        # Streams of health and reflection go on for as long as somebody watches.
        if any(streams) and not path.startswith(_OURS):
            return handler
        allow = partial(check_caller, path) if self._known_callers else _let_in
        read = partial(_each if handler.request_streaming else _read, handler.request_deserializer)
        observed = _observed_stream if handler.response_streaming else _observed
        name, make = _KINDS[streams]
        # request_deserializer None: the bytes arrive. What grpc cannot read it answers with UNKNOWN
        # and a traceback.
        return make(
            observed(path, allow, getattr(handler, name), read),
            request_deserializer=None,
            response_serializer=handler.response_serializer,
        )


def _let_in(_caller: Mapping[str, Iterable[bytes]]) -> None:
    """Whoever comes."""


def _observed(
    path: str, allow: Allow, behavior: Callable[..., Any], read: Callable[[Any], Any]
) -> Callable[..., Awaitable[Any]]:
    """read: makes of bytes, or of a stream of them, what the behaviour takes."""
    once = path in ONCE_PATHS

    async def answer(sent: Any, call: Call) -> Any:
        async with _observing(path, call):
            request = read(sent)
            allow(call.auth_context())
            if once:
                # From here on no caller repeats it: see `grpc_channel`.
                await call.send_initial_metadata(())
            return await behavior(request, call)

    return answer


def _observed_stream(
    path: str, allow: Allow, behavior: Callable[..., Any], read: Callable[[Any], Any]
) -> Callable[..., AsyncIterator[Any]]:
    """As `_observed`. behavior: an asynchronous generator."""

    async def answer(sent: Any, call: Call) -> AsyncIterator[Any]:
        async with _observing(path, call):
            request = read(sent)
            allow(call.auth_context())
            async with aclosing(behavior(request, call)) as messages:
                async for message in messages:
                    yield message

    return answer


@asynccontextmanager
async def _observing(path: str, call: Call) -> AsyncIterator[None]:
    method = path.rpartition("/")[2]
    metadata = {str(key): value for key, value in call.invocation_metadata() or ()}
    began = time.perf_counter()
    code = grpc.StatusCode.OK
    request = context.begin(
        _text(metadata.get(context.REQUEST_ID)), _text(metadata.get(context.TRACEPARENT))
    )
    span = TRACING.opened(request)
    with context.within(request if span is None else span.context):
        try:
            yield
        except HeadraceError as error:
            code, trailing = to_status(error)
            if code is grpc.StatusCode.INTERNAL:
                log.error("call failed", extra={"method": method}, exc_info=True)
            await call.abort(code, message_of(error), trailing)
        except (grpc.aio.AbortError, asyncio.CancelledError, GeneratorExit):
            code = grpc.StatusCode.CANCELLED
            raise
        except Exception:
            code = grpc.StatusCode.INTERNAL
            log.exception("call failed", extra={"method": method})
            await call.abort(code, "internal error; the log has it under this request's id")
        finally:
            seconds, requests = _counting(method, code)
            seconds.observe(time.perf_counter() - began)
            requests.inc()
            if span is not None:
                _end(span, path, code)


@cache
def _counting(method: str, code: grpc.StatusCode) -> tuple[Histogram, Counter]:
    """Kept, since to look up two metrics by their labels takes as long as to count."""
    return GRPC_SECONDS.labels(method), GRPC_REQUESTS.labels(method, code.name)


def _end(span: OpenSpan, path: str, code: grpc.StatusCode) -> None:
    """path: `/<service>/<method>`."""
    service, method = path.removeprefix("/").split("/", 1)
    span.end(
        path.removeprefix("/"),
        {
            "rpc.system": "grpc",
            "rpc.service": service,
            "rpc.method": method,
            "rpc.grpc.status_code": code.value[0],
        },
        failed=code in _FAILURES,
    )


def _read(parse: Parse, body: bytes) -> Any:
    try:
        return body if parse is None else parse(body)
    except DecodeError as error:
        raise InvalidInput.of("request", f"is no message of this method: {error}") from error


async def _each(parse: Parse, bodies: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for body in bodies:
        yield _read(parse, body)


def _text(value: str | bytes | None) -> str | None:
    return value if isinstance(value, str) else None
