"""A service of Headrace, or anything else that serves /readyz and /metrics, as a part."""

import http.client
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from headrace.local.child import Command
from headrace.local.part import Part
from headrace.local.ports import HOST, require_free


class Service(Part):
    """A command that is ready once its metrics port answers /readyz with 200."""

    start_seconds: ClassVar[float] = 120.0
    # A service drains for up to HEADRACE_SHUTDOWN_GRACE_S, 10 s by default, and then closes.
    stop_seconds: ClassVar[float] = 15.0

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        port: int,
        metrics_port: int,
        env: Mapping[str, str],
        log_file: Path,
        cwd: Path | None = None,
    ) -> None:
        super().__init__(name, port, log_file, metrics_port)
        self._metrics_port = metrics_port
        self._command = Command(argv=argv, log_file=log_file, env=env, cwd=cwd)

    def prepare(self) -> Command:
        """Raises PortTaken: what listens there already would be asked in its place."""
        for port in (self.port, self._metrics_port):
            require_free(port, self.name)
        return self._command

    def ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._metrics_port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
