import pytest

from headrace.errors import SettingsInvalid
from headrace.local.ports import Ports


def test_a_variable_changes_its_port_alone() -> None:
    ports = Ports.from_environment({"HEADRACE_GATEWAY_HTTP_PORT": "8090"})
    assert (ports.gateway_http, ports.gateway_grpc) == (8090, 50051)


def test_what_is_no_port_is_named_with_its_variable() -> None:
    environ = {"HEADRACE_RANKER_GRPC_PORT": "70000", "HEADRACE_LOCAL_KAFKA_PORT": "x"}
    with pytest.raises(SettingsInvalid) as refusal:
        Ports.from_environment(environ)
    assert "HEADRACE_RANKER_GRPC_PORT=70000" in str(refusal.value)
    assert "HEADRACE_LOCAL_KAFKA_PORT=x" in str(refusal.value)
