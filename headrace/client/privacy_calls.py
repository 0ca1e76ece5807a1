"""Every call of the clients of privacy, as `calls` has those of the others."""

from collections.abc import Iterable
from datetime import UTC
from typing import cast

from headrace.api.privacy.v1 import privacy_pb2
from headrace.client.calls import Call
from headrace.client.privacy_models import (
    ErasedPlace,
    Erasure,
    ErasureCheck,
    ErasureReceipt,
    Personalisation,
    PlaceState,
)
from headrace.runtime.timestamps import to_moment, to_timestamp


def set_personalisation(
    user_id: str, enabled: bool
) -> Call[privacy_pb2.SetPersonalisationResponse, Personalisation]:
    request = privacy_pb2.SetPersonalisationRequest(user_id=user_id, enabled=enabled)
    return Call("SetPersonalisation", request, lambda answer: _said(answer.personalisation))


def personalisation(
    user_id: str,
) -> Call[privacy_pb2.GetPersonalisationResponse, Personalisation]:
    request = privacy_pb2.GetPersonalisationRequest(user_id=user_id)
    return Call("GetPersonalisation", request, lambda answer: _said(answer.personalisation))


def export_request(user_id: str) -> privacy_pb2.ExportPersonRequest:
    return privacy_pb2.ExportPersonRequest(user_id=user_id)


def erase(
    user_id: str, password: str | None
) -> Call[privacy_pb2.ErasePersonResponse, ErasureReceipt]:
    request = privacy_pb2.ErasePersonRequest(user_id=user_id, password=password or "")
    return Call("ErasePerson", request, lambda answer: _receipt(answer.receipt))


def erasure(erasure_id: str) -> Call[privacy_pb2.GetErasureResponse, Erasure]:
    request = privacy_pb2.GetErasureRequest(erasure_id=erasure_id)
    return Call(
        "GetErasure",
        request,
        lambda answer: Erasure(
            to_moment(answer.requested_at),
            to_moment(answer.completed_at) if answer.HasField("completed_at") else None,
            _places(answer.places),
        ),
    )


def check_erasure(
    receipt: ErasureReceipt,
) -> Call[privacy_pb2.CheckErasureResponse, ErasureCheck]:
    request = privacy_pb2.CheckErasureRequest(
        receipt=privacy_pb2.ErasureReceipt(
            erasure_id=receipt.erasure_id,
            user_id=receipt.user_id,
            visits=receipt.visits,
            requested_at=to_timestamp(receipt.requested_at),
            code=receipt.code,
        )
    )
    return Call(
        "CheckErasure",
        request,
        lambda answer: ErasureCheck(
            to_moment(answer.checked_at), answer.clean, answer.begun_anew, _places(answer.places)
        ),
    )


def _receipt(message: privacy_pb2.ErasureReceipt) -> ErasureReceipt:
    return ErasureReceipt(
        message.erasure_id,
        message.user_id,
        tuple(message.visits),
        to_moment(message.requested_at),
        message.code,
    )


def _places(messages: Iterable[privacy_pb2.ErasedPlace]) -> tuple[ErasedPlace, ...]:
    return tuple(
        ErasedPlace(
            one.place,
            cast(
                "PlaceState",
                privacy_pb2.PlaceState.Name(one.state).removeprefix("PLACE_STATE_").lower(),
            ),
            one.removed,
            to_moment(one.gone_by) if one.HasField("gone_by") else None,
        )
        for one in messages
    )


def _said(message: privacy_pb2.Personalisation) -> Personalisation:
    return Personalisation(
        message.user_id,
        message.enabled,
        message.changed_at.ToDatetime(UTC) if message.HasField("changed_at") else None,
    )
