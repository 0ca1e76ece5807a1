"""The real Prometheus beside a running system, with the rules as they are deployed."""

import json
import math
from pathlib import Path
from typing import Any

import httpx

from headrace.local.child import Command
from headrace.local.part import Part
from headrace.local.ports import HOST, free_ports
from headrace.local.prometheus import prometheus_program
from headrace.local.system import SERVICES, LocalSystem

_RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules"
PERIOD = "1s"


class Prometheus(Part):
    """Reads the metrics of every service once a second.

    Raises: FetchFailed where there is no Prometheus.
    """

    def __init__(self, system: LocalSystem, folder: Path) -> None:
        (port,) = free_ports(1)
        super().__init__("prometheus", port, folder / "prometheus.log")
        self._folder = folder
        self._program = prometheus_program("prometheus")
        self._system = system

    def prepare(self) -> Command:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "prometheus.yml"
        # JSON is YAML.
        configuration.write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": PERIOD, "evaluation_interval": PERIOD},
                    "rule_files": [str(_RULES / "*.yml")],
                    "scrape_configs": [
                        {"job_name": name, "static_configs": [{"targets": [self._target(name)]}]}
                        for name in SERVICES
                    ],
                }
            )
        )
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
            return httpx.get(self._url("/-/ready"), timeout=2).is_success
        except httpx.TransportError:
            return False

    def values(self, query: str) -> list[float]:
        """What a query gives now, a number a series."""
        answer = httpx.get(self._url("/api/v1/query"), params={"query": query}, timeout=10)
        assert answer.is_success, f"{query}: {answer.text}"
        return [float(series["value"][1]) for series in answer.json()["data"]["result"]]

    def numbers(self, query: str) -> list[float]:
        """Its values that are numbers."""
        return [value for value in self.values(query) if not math.isnan(value)]

    def rules(self) -> list[dict[str, Any]]:
        answer = httpx.get(self._url("/api/v1/rules"), timeout=10)
        return [rule for group in answer.json()["data"]["groups"] for rule in group["rules"]]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def _target(self, service: str) -> str:
        return f"{HOST}:{getattr(self._system.ports, f'{service}_metrics')}"

    def _url(self, path: str) -> str:
        return f"{self.url}{path}"
