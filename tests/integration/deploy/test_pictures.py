"""The component `pictures`, which no overlay takes: nothing is fetched unless somebody wants it."""

from ipaddress import ip_address, ip_network
from pathlib import Path

from services.item_embedding.settings import ItemEmbeddingSettings
from tests.integration.deploy.manifests import (
    BUILDS,
    DEPLOY,
    base_with,
    built,
    name_of,
    of_kind,
    pods,
    variable_of_pods,
)

_VARIABLE = "HEADRACE_PICTURE_ORIGINS"


def _origins(build: str) -> dict[str, str]:
    """Where each pod may fetch pictures from."""
    return variable_of_pods(build, _VARIABLE)


def test_without_it_nothing_is_fetched() -> None:
    for build in BUILDS:
        assert _origins(build) == {}
    assert "PICTURE_ORIGINS" not in (DEPLOY / "compose.yaml").read_text()
    assert ItemEmbeddingSettings.picture_origins == ""


def test_with_it_item_embedding_reaches_servers_outside_of_the_cluster(tmp_path: Path) -> None:
    build = base_with("pictures", tmp_path)
    assert _origins(build) == {"Deployment/item-embedding": "https://pictures.shop.example"}
    [policy] = [
        one for one in of_kind(build, "NetworkPolicy") if name_of(one).endswith("/pictures")
    ]
    [rule] = policy["spec"]["egress"]
    assert rule["ports"] == [{"port": 443}]
    [pod] = [pod for pod in pods(build) if pod.name == "Deployment/item-embedding"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= pod.labels.items()
    closed = [ip_network(block) for block in rule["to"][0]["ipBlock"]["except"]]
    for inside in ("10.96.0.1", "169.254.169.254", "192.168.1.1", "172.20.0.1"):
        assert any(ip_address(inside) in network for network in closed), inside
    assert len(built(build)) == len(built("base")) + 1
