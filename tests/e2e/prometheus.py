"""The real Prometheus beside a running system, with the rules as they are deployed."""

import math
from pathlib import Path
from typing import Any

import httpx

from headrace.local.prometheus_server import PrometheusServer
from headrace.local.system import SERVICES, LocalSystem

_RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules" / "*.yml"


class Prometheus(PrometheusServer):
    """Reads the metrics of every service once a second.

    Raises: FetchFailed where there is no Prometheus.
    """

    def __init__(self, system: LocalSystem, folder: Path) -> None:
        targets = {name: [getattr(system.ports, f"{name}_metrics")] for name in SERVICES}
        super().__init__(targets, _RULES, folder, period="1s")

    def values(self, query: str) -> list[float]:
        """What a query gives now, a number a series."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=10)
        assert answer.is_success, f"{query}: {answer.text}"
        return [float(series["value"][1]) for series in answer.json()["data"]["result"]]

    def numbers(self, query: str) -> list[float]:
        """Its values that are numbers."""
        return [value for value in self.values(query) if not math.isnan(value)]

    def rules(self) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/api/v1/rules", timeout=10)
        return [rule for group in answer.json()["data"]["groups"] for rule in group["rules"]]

    def exported(self) -> dict[str, set[str]]:
        """Names of metrics by the job that exports them, also of those without a sample yet."""
        answer = httpx.get(f"{self.url}/api/v1/targets/metadata", timeout=10).raise_for_status()
        found: dict[str, set[str]] = {}
        for one in answer.json()["data"]:
            found.setdefault(one["target"]["job"], set()).add(one["metric"])
        return found

    def firing(self, alert: str) -> list[dict[str, str]]:
        """Labels of what that alert fires for now."""
        answer = httpx.get(f"{self.url}/api/v1/alerts", timeout=10)
        return [
            one["labels"]
            for one in answer.json()["data"]["alerts"]
            if one["state"] == "firing" and one["labels"]["alertname"] == alert
        ]
