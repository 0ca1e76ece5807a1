"""The port for operators, on every process: /metrics, /healthz, /readyz.

In a thread of its own, so that it answers while the event loop is busy.
"""

import json
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.exposition import ThreadingWSGIServer, _SilentHandler

from headrace.errors import Unavailable
from headrace.runtime.readiness import Readiness

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class OperationsServer:
    """/metrics: Prometheus text; /healthz: the process lives; /readyz: 503 with what is missing."""

    def __init__(self, host: str, port: int, readiness: Readiness) -> None:
        self._host = host
        self._port = port
        self._readiness = readiness
        self._server: WSGIServer | None = None

    async def __aenter__(self) -> "OperationsServer":
        try:
            self._server = make_server(
                self._host, self._port, self._answer, ThreadingWSGIServer, _SilentHandler
            )
        except OSError as error:
            raise Unavailable(
                f"port {self._port} of HEADRACE_METRICS_PORT cannot be opened: {error.strerror}"
            ) from error
        threading.Thread(target=self._server.serve_forever, name="operations", daemon=True).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _answer(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            start("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [generate_latest(REGISTRY)]
        if path == "/healthz":
            start("200 OK", [("Content-Type", "application/json")])
            return [b'{"status":"ok"}']
        if path == "/readyz":
            missing = self._readiness.missing()
            status = "503 Service Unavailable" if missing else "200 OK"
            start(status, [("Content-Type", "application/json")])
            body = {"status": "not ready" if missing else "ready", "missing": missing}
            return [json.dumps(body).encode()]
        start("404 Not Found", [("Content-Type", "application/json")])
        return [b'{"paths":["/metrics","/healthz","/readyz"]}']
