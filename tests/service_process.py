"""A service as it is deployed: a process with its variables, a log, a port for operators."""

import os
import sys
from pathlib import Path

import httpx

from headrace.local.child import Child, Command
from headrace.local.ports import HOST, free_ports
from headrace.local.waiting import wait_until

# A member that was killed keeps its partitions for 10 s, and the machine may be busy.
DEADLINE_S = 60.0


class ServiceProcess:
    """`python -m services.<name>`, once or more times, on ports of its own.

    variables: by name, less `HEADRACE_`. They may be changed between two starts.
    """

    def __init__(self, name: str, log_file: Path, variables: dict[str, str]) -> None:
        self.grpc_port, self.metrics_port = free_ports(2)
        self.variables = variables
        self.log_file = log_file
        self._name = name
        self._child: Child | None = None

    @property
    def address(self) -> str:
        """Of its gRPC door."""
        return f"{HOST}:{self.grpc_port}"

    @property
    def child(self) -> Child:
        """The process that was started last."""
        assert self._child is not None, "it was not started"
        return self._child

    def start(self) -> Child:
        variables = {
            "GRPC_PORT": str(self.grpc_port),
            "METRICS_PORT": str(self.metrics_port),
            **self.variables,
        }
        self._child = Child(
            Command(
                argv=[sys.executable, "-m", f"services.{self._name}"],
                log_file=self.log_file,
                env={**os.environ, **{f"HEADRACE_{name}": v for name, v in variables.items()}},
            )
        )
        return self._child

    def start_and_wait(self) -> Child:
        child = self.start()
        self.wait_ready()
        return child

    def wait_ready(self) -> None:
        assert wait_until(self.ready, DEADLINE_S), self.child.last_log_lines()

    def ready(self) -> bool:
        return not self.missing()

    def missing(self) -> set[str]:
        """What /readyz misses; `an answer` where nothing listens."""
        try:
            answer = httpx.get(f"http://{HOST}:{self.metrics_port}/readyz", timeout=5)
        except httpx.TransportError:
            return {"an answer"}
        return set(answer.json()["missing"])

    def metrics(self) -> dict[str, float]:
        """Samples by their full names, labels included."""
        text = httpx.get(f"http://{HOST}:{self.metrics_port}/metrics", timeout=5).text
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def metric(self, name: str, **labels: str) -> float:
        """A sample; 0 where there is none."""
        told = ",".join(f'{label}="{labels[label]}"' for label in sorted(labels))
        return self.metrics().get(f"{name}{{{told}}}" if told else name, 0.0)

    def close(self) -> None:
        """Ends it where it still runs."""
        if self._child is not None and self._child.exit_code is None:
            self._child.kill()
