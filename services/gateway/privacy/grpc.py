"""What people may ask about their data, over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc

from headrace.api.privacy.v1 import privacy_pb2, privacy_pb2_grpc
from headrace.contracts.violations import check
from headrace.runtime.timestamps import to_timestamp
from services.gateway.access import Access
from services.gateway.accounts.key_grpc import authorization_in
from services.gateway.keys import Scope
from services.gateway.privacy.choice_store import Choice
from services.gateway.privacy.models import PersonalisationOf, PersonReference
from services.gateway.privacy.service import Privacy

if TYPE_CHECKING:
    Call = grpc.aio.ServicerContext[Any, Any]

PRIVACY = privacy_pb2.DESCRIPTOR.services_by_name["PrivacyService"].full_name


class PrivacyServicer(privacy_pb2_grpc.PrivacyServiceServicer):
    """PrivacyService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, privacy: Privacy, access: Access) -> None:
        self._privacy = privacy
        self._access = access

    async def SetPersonalisation(  # noqa: N802
        self, request: privacy_pb2.SetPersonalisationRequest, context: Call
    ) -> privacy_pb2.SetPersonalisationResponse:
        given = {"enabled": request.enabled} if request.HasField("enabled") else {}
        body = check(PersonalisationOf, {"user_id": request.user_id, **given})
        self._access.require(authorization_in(context), Scope.ADMIN, [body.user_id])
        said = await self._privacy.set_personalisation(body.user_id, body.enabled)
        return privacy_pb2.SetPersonalisationResponse(personalisation=_message(said))

    async def GetPersonalisation(  # noqa: N802
        self, request: privacy_pb2.GetPersonalisationRequest, context: Call
    ) -> privacy_pb2.GetPersonalisationResponse:
        body = check(PersonReference, {"user_id": request.user_id})
        self._access.require(authorization_in(context), Scope.READ, [body.user_id])
        said = await self._privacy.personalisation(body.user_id)
        return privacy_pb2.GetPersonalisationResponse(personalisation=_message(said))

    async def ExportPerson(  # noqa: N802
        self, request: privacy_pb2.ExportPersonRequest, context: Call
    ) -> AsyncIterator[privacy_pb2.ExportPersonResponse]:
        body = check(PersonReference, {"user_id": request.user_id})
        self._access.require(authorization_in(context), Scope.ADMIN, [body.user_id])
        async for piece in await self._privacy.export(body.user_id):
            yield privacy_pb2.ExportPersonResponse(json=piece)


def _message(said: Choice) -> privacy_pb2.Personalisation:
    return privacy_pb2.Personalisation(
        user_id=said.user_id,
        enabled=said.enabled,
        changed_at=None if said.changed_at is None else to_timestamp(said.changed_at),
    )
