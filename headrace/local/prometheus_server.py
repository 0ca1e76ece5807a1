"""A Prometheus beside a running system."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from headrace.local.child import Command
from headrace.local.part import Part
from headrace.local.ports import HOST, free_ports
from headrace.local.prometheus import prometheus_program


class PrometheusServer(Part):
    """Reads metrics of processes on this machine and evaluates rules.

    targets: ports of metrics, by the name of the job. rules: a pattern of files.
    period: of both, as Prometheus writes durations.
    Raises: FetchFailed where there is no Prometheus.
    """

    def __init__(
        self, targets: Mapping[str, Sequence[int]], rules: Path, folder: Path, period: str
    ) -> None:
        (port,) = free_ports(1)
        super().__init__("prometheus", port, folder / "prometheus.log")
        self._program = prometheus_program("prometheus")
        self._targets = targets
        self._rules = rules
        self._folder = folder
        self._period = period

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def prepare(self) -> Command:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "prometheus.yml"
        told = {
            "global": {"scrape_interval": self._period, "evaluation_interval": self._period},
            "rule_files": [str(self._rules)],
            "scrape_configs": [
                {
                    "job_name": job,
                    "static_configs": [{"targets": [f"{HOST}:{port}" for port in ports]}],
                }
                for job, ports in self._targets.items()
            ],
        }
        configuration.write_text(json.dumps(told))  # JSON is YAML
        return Command(
            argv=[
                str(self._program),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address={HOST}:{self.port}",
                "--log.level=warn",
            ],
            log_file=self.log_file,
        )

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=2).is_success
        except httpx.TransportError:
            return False
