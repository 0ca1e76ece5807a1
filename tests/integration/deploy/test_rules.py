"""Every alert fires and is silent when it should be, by promtool; each has a runbook."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from headrace.local.errors import FetchFailed
from headrace.local.prometheus import prometheus_program
from tests.integration.deploy.manifests import DEPLOY

_RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
_TESTS = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
_RUNBOOKS = DEPLOY.parent / "docs" / "runbooks"


def rules() -> Iterator[dict[str, Any]]:
    """Every recording rule and every alert."""
    for path in _RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def _alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


@pytest.fixture(scope="module")
def promtool() -> Path:
    """Skips, loudly, where promtool is not there and cannot be fetched."""
    try:
        return prometheus_program("promtool")
    except FetchFailed as absent:
        pytest.skip(f"ALERTS ARE NOT TESTED: {absent}")


def _run(promtool: Path, *arguments: str) -> None:
    run = subprocess.run(
        [str(promtool), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_rules_are_well_formed(promtool: Path) -> None:
    _run(promtool, "check", "rules", "--lint-fatal", *map(str, _RULES))


def test_alerts_fire_and_are_silent_as_their_tests_say(promtool: Path) -> None:
    _run(promtool, "test", "rules", *map(str, _TESTS))


def test_each_alert_has_a_test_that_fires_and_one_that_stays_silent() -> None:
    fires, silent = set(), set()
    for path in _TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for expected in test["alert_rule_test"]:
                severities = {alert["exp_labels"]["severity"] for alert in expected["exp_alerts"]}
                fires |= {(expected["alertname"], severity) for severity in severities}
                if not severities:
                    silent.add(expected["alertname"])
    assert fires == {(alert["alert"], alert["labels"]["severity"]) for alert in _alerts()}
    assert silent == {alert["alert"] for alert in _alerts()}


@pytest.mark.parametrize("alert", sorted({alert["alert"] for alert in _alerts()}))
def test_each_alert_leads_to_a_runbook(alert: str) -> None:
    for rule in _alerts():
        if rule["alert"] == alert:
            page = Path(rule["annotations"]["runbook_url"]).name
            text = (_RUNBOOKS / page).read_text()
            assert text.startswith(f"# {alert}\n"), page
            for heading in ("## What it means", "## Look", "## Do"):
                assert heading in text, f"{page}: {heading}"


def test_the_list_of_runbooks_names_all() -> None:
    listed = (_RUNBOOKS / "README.md").read_text()
    for page in _RUNBOOKS.glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in listed, page.name
