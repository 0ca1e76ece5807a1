"""docs/api.md has every RPC that the gateway serves, with its method in both clients."""

import inspect

import pytest
from google.protobuf.descriptor import ServiceDescriptor

from headrace import client
from headrace.api.accounts.v1 import accounts_pb2, keys_pb2
from headrace.api.behaviour.v1 import behaviour_pb2
from headrace.api.gateway.v1 import catalogue_pb2, console_pb2, gateway_pb2
from headrace.api.history.v1 import history_pb2
from headrace.api.privacy.v1 import privacy_pb2
from tests.manual import calls

FILES = (
    accounts_pb2, keys_pb2, behaviour_pb2, catalogue_pb2, console_pb2, gateway_pb2, history_pb2,
    privacy_pb2,
)  # fmt: skip


def test_every_rpc_has_its_line() -> None:
    services: list[ServiceDescriptor] = [
        service for file in FILES for service in file.DESCRIPTOR.services_by_name.values()
    ]
    rpcs = {f"{service.name}.{one.name}" for service in services for one in service.methods}
    assert {row.rpc for row in calls()} == rpcs


@pytest.mark.parametrize("twin", ["", "Async"])
def test_every_method_is_named_and_is_there(twin: str) -> None:
    named = {name for row in calls() for name in row.python}
    assert all(row.python for row in calls())
    for name in named:
        of, _, method = name.partition(".")
        assert callable(getattr(getattr(client, f"{twin}{of}"), method)), name
    classes = {name.partition(".")[0] for name in named}
    there = {
        f"{of}.{method}"
        for of in classes
        for method, _ in inspect.getmembers(getattr(client, f"{twin}{of}"), callable)
        if not method.startswith("_") and method != "close"
    }
    assert there == named
