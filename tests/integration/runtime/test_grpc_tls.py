"""gRPC with certificates on both sides: who is let in, and certificates replaced under load."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from headrace.api.ranker.v1 import ranker_pb2, ranker_pb2_grpc
from headrace.errors import PermissionDenied, Unavailable
from headrace.local.ports import free_ports
from headrace.local.waiting import wait_until
from headrace.runtime.certificates import CertificateFiles, Certificates
from headrace.runtime.grpc_channel import call, call_blocking, open_blocking_channel, open_channel
from headrace.runtime.grpc_server import CONNECTION_S, grpc_server
from headrace.runtime.readiness import Readiness
from tests.certificates import Authority
from tests.integration.runtime.test_grpc_server import SERVICE, Ranker
from tests.service_process import ServiceProcess

HOST = "127.0.0.1"
_LOOK_S = 0.05


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@dataclass(frozen=True)
class Server:
    address: str
    files: CertificateFiles

    def certificate(self, caller: CertificateFiles) -> bytes:
        """The one that a new connection gets."""
        host, _, port = self.address.partition(":")
        context = ssl.create_default_context(cafile=caller.authority)
        context.load_cert_chain(caller.certificate, caller.key)
        context.set_alpn_protocols(["h2"])
        with (
            socket.create_connection((host, int(port))) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            return connection.getpeercert(binary_form=True) or b""


@asynccontextmanager
async def serving(
    files: CertificateFiles, connection_s: float = CONNECTION_S
) -> AsyncIterator[Server]:
    (port,) = free_ports(1)
    async with grpc_server(
        host=HOST,
        port=port,
        services=[SERVICE],
        register=lambda server: ranker_pb2_grpc.add_RankerServiceServicer_to_server(
            Ranker(), server
        ),
        readiness=Readiness(),
        grace_s=10,
        certificates=Certificates(files, _LOOK_S),
        connection_s=connection_s,
    ):
        yield Server(f"{HOST}:{port}", files)


async def _recommend(address: str, caller: CertificateFiles | Certificates | None) -> str:
    """On a connection of its own."""
    certificates = Certificates(caller) if isinstance(caller, CertificateFiles) else caller
    async with open_channel(address, certificates) as channel:
        stub = ranker_pb2_grpc.RankerServiceStub(channel)
        answer = await call(stub.Recommend, ranker_pb2.RecommendRequest(), "ranker", 5)
        return answer.model_version


async def test_the_gateway_is_let_in_by_both_kinds_of_channel(authority: Authority) -> None:
    caller = authority.issue("gateway")
    async with serving(authority.issue("ranker", HOST)) as server:
        assert await _recommend(server.address, caller) == "v1"

        def blocking() -> str:
            with open_blocking_channel(server.address, Certificates(caller)) as channel:
                stub = ranker_pb2_grpc.RankerServiceStub(channel)
                request = ranker_pb2.RecommendRequest()
                return call_blocking(stub.Recommend, request, "ranker", 5).model_version

        assert await asyncio.to_thread(blocking) == "v1"


async def test_another_service_is_refused(authority: Authority) -> None:
    async with serving(authority.issue("ranker", HOST)) as server:
        with pytest.raises(PermissionDenied, match="Recommend is for gateway"):
            await _recommend(server.address, authority.issue("user-embedding"))


async def test_without_a_certificate_of_the_authority_there_is_no_connection(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "other-ca").issue("gateway", into="stranger")
    trusting = CertificateFiles(
        "HEADRACE_GRPC", stranger.certificate, stranger.key, str(authority.file)
    )
    async with serving(authority.issue("ranker", HOST)) as server:
        for caller in (None, stranger, trusting):
            with pytest.raises(Unavailable):
                await _recommend(server.address, caller)


async def test_a_callee_with_anothers_name_is_not_believed(authority: Authority) -> None:
    async with serving(authority.issue("ranker")) as server:  # not for this address
        with pytest.raises(Unavailable):
            await _recommend(server.address, authority.issue("gateway"))


@dataclass
class Load:
    """Calls without a pause: on a channel that stays, and on a new one each time."""

    address: str
    caller: CertificateFiles
    done: int = 0

    async def until(self, deadline: float) -> None:
        request = ranker_pb2.RecommendRequest()
        kept = Certificates(self.caller, _LOOK_S)
        async with open_channel(self.address, kept) as channel:
            stub = ranker_pb2_grpc.RankerServiceStub(channel)
            while time.monotonic() < deadline:
                await call(stub.Recommend, request, "ranker", 5)
                await _recommend(self.address, kept)
                self.done += 2


async def test_certificates_replaced_before_they_end_cost_no_call(authority: Authority) -> None:
    caller = authority.issue("gateway", ends_in_s=2)
    async with serving(authority.issue("ranker", HOST, ends_in_s=2)) as server:
        first = server.certificate(caller)
        load = Load(server.address, caller)
        loads = [asyncio.create_task(load.until(time.monotonic() + 3.5)) for _ in range(3)]
        await asyncio.sleep(0.8)
        authority.issue("ranker", HOST)
        authority.issue("gateway")
        await asyncio.gather(*loads)  # the first call that fails is raised
        assert server.certificate(caller) != first
        assert load.done > 100


async def test_certificates_that_end_let_nobody_in_any_more(authority: Authority) -> None:
    caller = authority.issue("gateway")
    async with serving(authority.issue("ranker", HOST, ends_in_s=2)) as server:
        assert await _recommend(server.address, caller) == "v1"
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                await _recommend(server.address, caller)
            except Unavailable:
                return
        pytest.fail("the certificate ended, and connections go on")


async def test_who_stays_connected_is_out_soon_after_the_certificate_ended(
    authority: Authority,
) -> None:
    caller = authority.issue("gateway", ends_in_s=2)
    ended = time.monotonic() + 2
    server_files = authority.issue("ranker", HOST)
    async with (
        serving(server_files, connection_s=0.2) as server,
        open_channel(server.address, Certificates(caller)) as channel,
    ):
        stub = ranker_pb2_grpc.RankerServiceStub(channel)
        request = ranker_pb2.RecommendRequest()
        # Some seven connections, and no call that fails for it.
        while time.monotonic() < ended - 0.5:
            await call(stub.Recommend, request, "ranker", 5)
        while time.monotonic() < ended + 10:
            try:
                await call(stub.Recommend, request, "ranker", 5)
            except Unavailable:
                return
        pytest.fail("the certificate ended, and its connection goes on")


def test_a_service_with_a_wrong_file_ends_at_once_and_names_the_variable(
    authority: Authority, tmp_path: Path
) -> None:
    files, other = authority.issue("user-embedding"), authority.issue("other")
    service = ServiceProcess(
        "user_embedding",
        tmp_path / "log",
        {
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "DATABASE_URL": "postgresql://127.0.0.1:1/nowhere",
            "BUNDLE_URL": str(tmp_path),
            "GRPC_CERTIFICATE_FILE": files.certificate,
            "GRPC_KEY_FILE": other.key,
            "GRPC_CA_FILE": files.authority,
        },
    )
    child = service.start()
    assert wait_until(lambda: child.exit_code is not None, 30)
    assert child.exit_code == 2
    assert (
        f"HEADRACE_GRPC_KEY_FILE='{other.key}': is not the key of" in service.log_file.read_text()
    )
