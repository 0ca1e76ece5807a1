import socket
import subprocess
import sys

import pytest

from headrace.errors import SettingsInvalid
from headrace.local.ports import HOST, Ports, free_ports, is_free


def test_a_variable_changes_its_port_alone() -> None:
    ports = Ports.from_environment({"HEADRACE_GATEWAY_HTTP_PORT": "8090"})
    assert (ports.gateway_http, ports.gateway_grpc) == (8090, 50051)


def test_what_is_no_port_is_named_with_its_variable() -> None:
    environ = {"HEADRACE_RANKER_GRPC_PORT": "70000", "HEADRACE_LOCAL_KAFKA_PORT": "x"}
    with pytest.raises(SettingsInvalid) as refusal:
        Ports.from_environment(environ)
    assert "HEADRACE_RANKER_GRPC_PORT=70000" in str(refusal.value)
    assert "HEADRACE_LOCAL_KAFKA_PORT=x" in str(refusal.value)


def test_a_free_port_is_given_once_and_a_server_can_listen_there_again_and_again() -> None:
    (port,) = free_ports(1)
    asked = f"from headrace.local.ports import reserve; print(reserve({port}))"
    another = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True)
    assert another.stdout == b"False\n"
    for _ in range(2):
        assert is_free(port)
        with socket.create_server((HOST, port)):
            assert not is_free(port)
            socket.create_connection((HOST, port)).close()
