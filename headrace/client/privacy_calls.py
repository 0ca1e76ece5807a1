"""Every call of the clients of privacy, as `calls` has those of the others."""

from datetime import UTC

from headrace.api.privacy.v1 import privacy_pb2
from headrace.client.calls import Call
from headrace.client.privacy_models import Personalisation


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


def _said(message: privacy_pb2.Personalisation) -> Personalisation:
    return Personalisation(
        message.user_id,
        message.enabled,
        message.changed_at.ToDatetime(UTC) if message.HasField("changed_at") else None,
    )
