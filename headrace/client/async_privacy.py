"""The asyncio client of privacy."""

from collections.abc import AsyncIterator

import grpc

from headrace.api.privacy.v1 import privacy_pb2_grpc
from headrace.client import privacy_calls
from headrace.client.connection import AsyncConnection
from headrace.client.privacy_models import (
    Erasure,
    ErasureCheck,
    ErasureReceipt,
    Personalisation,
)
from headrace.runtime.rpc_errors import from_rpc_error


class AsyncPrivacy(AsyncConnection):
    """As `Privacy`, for asyncio: use it in an `async with` block, or close it.

    address: host:port of the gateway's gRPC door.
    api_key: the person's own access token, or a key with scope `admin`.
    timeout_s: for each call, retries included.
    credentials: for TLS; without, the connection is not encrypted.
    Every method raises an error of `headrace.errors`.
    """

    _service = privacy_pb2_grpc.PrivacyServiceStub

    async def set_personalisation(self, user_id: str, enabled: bool) -> Personalisation:
        """Says whether the person's lists may be personal; counts from the next list on."""
        return await self._do(privacy_calls.set_personalisation(user_id, enabled))

    async def personalisation(self, user_id: str) -> Personalisation:
        """What the person said. A key with scope `read` does as well."""
        return await self._do(privacy_calls.personalisation(user_id))

    async def export(self, user_id: str, timeout_s: float = 600.0) -> AsyncIterator[bytes]:
        """Everything that is stored of the person: a JSON document (UTF-8) in pieces."""
        request = privacy_calls.export_request(user_id)
        try:
            async for piece in self._stub.ExportPerson(
                request, timeout=timeout_s, metadata=self._metadata()
            ):
                yield piece.json
        except grpc.RpcError as error:
            raise from_rpc_error("gateway", error) from error

    async def erase(self, user_id: str, password: str | None = None) -> ErasureReceipt:
        """Erases the person and the visits that became theirs; keep the receipt.

        password: of the account, where its person acts with their own token.
        Raises: InvalidInput where it is missing or wrong.
        """
        return await self._do(privacy_calls.erase(user_id, password))

    async def erasure(self, erasure_id: str) -> Erasure:
        """How far an erasure is, and what was removed where. Raises: NotFound."""
        return await self._do(privacy_calls.erasure(erasure_id))

    async def check_erasure(
        self, receipt: ErasureReceipt, timeout_s: float = 600.0
    ) -> ErasureCheck:
        """Looks again into every table, topic and memory.

        Raises: NotFound; InvalidInput where it is not the receipt that was given.
        """
        return await self._do(privacy_calls.check_erasure(receipt), timeout_s=timeout_s)
