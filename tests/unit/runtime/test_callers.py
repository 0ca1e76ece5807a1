"""Who may call which RPC: a table without holes, and certificates that speak for services."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from headrace.errors import PermissionDenied
from headrace.runtime.callers import MAY_CALL, check_caller

PROTOS = Path(__file__).parents[3] / "protos" / "headrace" / "api"
RECOMMEND = "/headrace.api.ranker.v1.RankerService/Recommend"
VECTORS = "/headrace.api.item_embedding.v1.ItemEmbeddingService/GetItemVectors"


def _certificate(*names: str, common_name: str = "") -> dict[str, list[bytes]]:
    told = {"x509_subject_alternative_name": [name.encode() for name in names]}
    return told | ({"x509_common_name": [common_name.encode()]} if common_name else {})


def _refused(caller: str) -> float:
    labels = {"method": "Recommend", "caller": caller}
    return REGISTRY.get_sample_value("headrace_grpc_callers_refused_total", labels) or 0.0


def test_every_rpc_between_services_is_in_the_table() -> None:
    found: dict[str, set[str]] = {}
    for owner in ("ranker", "user_embedding", "item_embedding"):
        for path in (PROTOS / owner / "v1").glob("*.proto"):
            file: Any = import_module(f"headrace.api.{owner}.v1.{path.stem}_pb2").DESCRIPTOR
            for service in file.services_by_name.values():
                found[service.full_name] = set(service.methods_by_name)
    assert found == {service: set(rpcs) for service, rpcs in MAY_CALL.items()}


@pytest.mark.parametrize(
    ("method", "certificate"),
    [
        (RECOMMEND, _certificate("gateway")),
        (RECOMMEND, _certificate("gateway.headrace.svc", "gateway", "10.0.0.1")),
        (RECOMMEND, _certificate(common_name="gateway")),
        (VECTORS, _certificate("user-embedding")),
        ("/grpc.health.v1.Health/Check", _certificate("anybody")),
    ],
)
def test_the_right_caller_is_let_in(method: str, certificate: dict[str, list[bytes]]) -> None:
    check_caller(method, certificate)


@pytest.mark.parametrize(
    ("method", "certificate"),
    [
        (RECOMMEND, _certificate("ranker")),
        (RECOMMEND, _certificate("gateway.example.org")),
        (RECOMMEND, _certificate("notgateway")),
        # Whoever may choose a certificate's common name has not proved to be a host.
        (RECOMMEND, _certificate("other", common_name="gateway")),
        (RECOMMEND, {}),
        (VECTORS, _certificate("gateway")),
        ("/headrace.api.ranker.v1.RankerService/NotYetListed", _certificate("gateway")),
        ("/headrace.api.other.v1.OtherService/Any", _certificate("gateway")),
    ],
)
def test_everybody_else_is_refused(method: str, certificate: dict[str, list[bytes]]) -> None:
    with pytest.raises(PermissionDenied):
        check_caller(method, certificate)


def test_refusals_are_counted_by_services_that_there_are() -> None:
    before = {caller: _refused(caller) for caller in ("ranker", "unknown")}
    for name in ("ranker", "a-stranger", "another"):
        with pytest.raises(PermissionDenied) as caught:
            check_caller(RECOMMEND, _certificate(name))
    assert str(caught.value) == "Recommend is for gateway; the certificate is of another"
    assert _refused("ranker") == before["ranker"] + 1
    assert _refused("unknown") == before["unknown"] + 2
    assert _refused("another") == 0
