"""API keys over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Any

import grpc

from headrace.api.accounts.v1 import keys_pb2, keys_pb2_grpc
from headrace.contracts.violations import check
from headrace.runtime.timestamps import to_timestamp
from services.gateway.access import Access, Caller
from services.gateway.accounts.application_keys import ApplicationKeys
from services.gateway.accounts.key_models import KeyReference, NewKeyRequest
from services.gateway.accounts.key_store import KeyRecord
from services.gateway.keys import Scope

if TYPE_CHECKING:
    Call = grpc.aio.ServicerContext[Any, Any]

KEYS = keys_pb2.DESCRIPTOR.services_by_name["KeyService"].full_name


class KeyServicer(keys_pb2_grpc.KeyServiceServicer):
    """KeyService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, keys: ApplicationKeys, access: Access) -> None:
        self._keys = keys
        self._access = access

    async def CreateKey(  # noqa: N802
        self, request: keys_pb2.CreateKeyRequest, context: Call
    ) -> keys_pb2.CreateKeyResponse:
        caller = self._administrator(context)
        body = check(NewKeyRequest, {"name": request.name, "scopes": list(request.scopes)})
        made, key = await self._keys.create(body.name, body.scopes, caller.name)
        return keys_pb2.CreateKeyResponse(info=_info(made), key=key)

    async def ListKeys(  # noqa: N802
        self, _request: keys_pb2.ListKeysRequest, context: Call
    ) -> keys_pb2.ListKeysResponse:
        self._administrator(context)
        return keys_pb2.ListKeysResponse(keys=[_info(one) for one in await self._keys.all()])

    async def RevokeKey(  # noqa: N802
        self, request: keys_pb2.RevokeKeyRequest, context: Call
    ) -> keys_pb2.RevokeKeyResponse:
        self._administrator(context)
        body = check(KeyReference, {"key_id": request.key_id})
        return keys_pb2.RevokeKeyResponse(info=_info(await self._keys.revoke(body.key_id)))

    def _administrator(self, context: Call) -> Caller:
        return self._access.require(authorization_in(context), Scope.ADMIN)


def authorization_in(context: Call) -> str | None:
    """The metadatum as it came."""
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            return value if isinstance(value, str) else None
    return None


def _info(record: KeyRecord) -> keys_pb2.ApiKey:
    return keys_pb2.ApiKey(
        key_id=record.key_id,
        name=record.name,
        scopes=[str(scope) for scope in record.scopes],
        created_at=to_timestamp(record.created_at),
        created_by=record.created_by,
        last_used_at=None if record.last_used_at is None else to_timestamp(record.last_used_at),
        revoked_at=None if record.revoked_at is None else to_timestamp(record.revoked_at),
    )
