"""What people may ask about their data, over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.privacy.v1 import privacy_pb2, privacy_pb2_grpc
from headrace.contracts.violations import check
from headrace.runtime.timestamps import to_moment, to_timestamp
from services.gateway.access import Access
from services.gateway.accounts.key_grpc import authorization_in
from services.gateway.keys import Scope
from services.gateway.privacy.choice_store import Choice
from services.gateway.privacy.erasure_store import Place
from services.gateway.privacy.models import (
    CheckRequest,
    EraseRequest,
    ErasureReference,
    PersonalisationOf,
    PersonReference,
    receipt_of,
)
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

    async def ErasePerson(  # noqa: N802
        self, request: privacy_pb2.ErasePersonRequest, context: Call
    ) -> privacy_pb2.ErasePersonResponse:
        person = check(PersonReference, {"user_id": request.user_id})
        caller = self._access.require(authorization_in(context), Scope.ADMIN, [person.user_id])
        body = check(EraseRequest, {"password": request.password or None})
        receipt = await self._privacy.erase(person.user_id, caller, body.password)
        return privacy_pb2.ErasePersonResponse(
            receipt=privacy_pb2.ErasureReceipt(
                erasure_id=receipt.erasure_id,
                user_id=receipt.user_id,
                visits=receipt.visits,
                requested_at=to_timestamp(receipt.requested_at),
                code=receipt.code,
            )
        )

    async def GetErasure(  # noqa: N802
        self, request: privacy_pb2.GetErasureRequest, _context: Call
    ) -> privacy_pb2.GetErasureResponse:
        body = check(ErasureReference, {"erasure_id": request.erasure_id})
        found = await self._privacy.erasure(body.erasure_id)
        return privacy_pb2.GetErasureResponse(
            requested_at=to_timestamp(found.requested_at),
            completed_at=None if found.completed_at is None else to_timestamp(found.completed_at),
            places=[_place(one) for one in found.places],
        )

    async def CheckErasure(  # noqa: N802
        self, request: privacy_pb2.CheckErasureRequest, _context: Call
    ) -> privacy_pb2.CheckErasureResponse:
        given = request.receipt
        reference = check(ErasureReference, {"erasure_id": given.erasure_id})
        body = check(
            CheckRequest,
            {
                "user_id": given.user_id,
                "visits": list(given.visits),
                "requested_at": _moment(given.requested_at),
                "code": given.code,
            },
        )
        found = await self._privacy.check_erasure(receipt_of(reference.erasure_id, body))
        return privacy_pb2.CheckErasureResponse(
            checked_at=to_timestamp(found.checked_at),
            clean=found.clean,
            begun_anew=found.begun_anew,
            places=[_place(one) for one in found.places],
        )


def _moment(timestamp: Timestamp) -> datetime:
    try:
        return to_moment(timestamp)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)  # as far outside of what is allowed


def _place(one: Place) -> privacy_pb2.ErasedPlace:
    return privacy_pb2.ErasedPlace(
        place=one.place,
        state=privacy_pb2.PlaceState.Value(f"PLACE_STATE_{one.state.upper()}"),
        removed=one.removed,
        gone_by=None if one.gone_by is None else to_timestamp(one.gone_by),
    )


def _message(said: Choice) -> privacy_pb2.Personalisation:
    return privacy_pb2.Personalisation(
        user_id=said.user_id,
        enabled=said.enabled,
        changed_at=None if said.changed_at is None else to_timestamp(said.changed_at),
    )
