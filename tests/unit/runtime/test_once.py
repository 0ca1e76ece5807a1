"""What must not happen twice, and what callers are told about it."""

import json
import re
from pathlib import Path

from headrace.api.accounts.v1 import accounts_pb2, keys_pb2
from headrace.contracts.once import ONCE
from headrace.runtime.grpc_channel import SERVICE_CONFIG

_DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def test_each_is_a_method_that_there_is() -> None:
    services = {
        service.full_name: {method.name for method in service.methods}
        for file in (accounts_pb2, keys_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
    }
    for service, methods in ONCE.items():
        assert services[service].issuperset(methods)


def test_the_documentation_has_the_service_config_that_our_clients_have() -> None:
    (told,) = re.findall(r"```json\n(\{\s*\"methodConfig.*?)```", _DOCS.read_text("utf-8"), re.S)
    assert json.loads(told)["methodConfig"] == SERVICE_CONFIG["methodConfig"]
