"""The component `tracing`, which no overlay takes: spans are off unless somebody wants them."""

from pathlib import Path

from tests.integration.deploy.manifests import (
    BUILDS,
    base_with,
    built,
    name_of,
    of_kind,
    variable_of_pods,
)


def _collectors(build: str) -> dict[str, str]:
    """Where each of the services' pods sends its spans."""
    return variable_of_pods(build, "HEADRACE_TRACES_URL")


def test_without_it_nothing_is_sent() -> None:
    for build in BUILDS:
        assert _collectors(build) == {}


def test_with_it_all_five_services_send_spans_and_may(tmp_path: Path) -> None:
    build = base_with("tracing", tmp_path)
    told = _collectors(build)
    assert len(told) == 5
    assert set(told.values()) == {"http://collector.observability:4318/v1/traces"}
    [policy] = [one for one in of_kind(build, "NetworkPolicy") if name_of(one).endswith("/traces")]
    assert policy["spec"]["egress"][0]["ports"] == [{"port": 4318}]
    allowed = policy["spec"]["podSelector"]["matchExpressions"][0]["values"]
    deployments = {thing["metadata"]["name"] for thing in of_kind(build, "Deployment")}
    assert set(allowed) == deployments
    assert len(built(build)) == len(built("base")) + 1
