"""The ranker, looked into over gRPC."""

from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from headrace.api.ranker.v1 import inspection_pb2, inspection_pb2_grpc
from headrace.runtime.grpc_channel import call
from services.gateway.console.models import Inspection
from services.gateway.console.service import Inspected
from services.gateway.console.status_models import RankerStatus
from services.gateway.models import RecommendationRequest
from services.gateway.upstream import ranked_list, recommend_message

# Somebody looks on; a list of the most candidates is told within a tenth of it.
_DEADLINE_S = 3.0


class GrpcInspector:
    """Implements `service.Inspector`."""

    def __init__(self, channel: grpc.aio.Channel, after_wait_ms: int) -> None:
        self._stub = inspection_pb2_grpc.InspectionServiceStub(channel)
        self._after_wait_ms = after_wait_ms

    async def inspect(self, request: RecommendationRequest) -> Inspected:
        message = inspection_pb2.InspectListRequest(
            request=recommend_message(request, self._after_wait_ms)
        )
        answer = await call(self._stub.InspectList, message, "ranker", _DEADLINE_S)
        return Inspected(ranked_list(request, answer.list), inspection_of(answer.inspection))

    async def status(self) -> RankerStatus:
        request = inspection_pb2.GetRankerStatusRequest()
        answer = await call(self._stub.GetRankerStatus, request, "ranker", _DEADLINE_S)
        return status_of(answer.status)


def inspection_of(message: inspection_pb2.Inspection) -> Inspection:
    return Inspection.model_validate(_fields(message))


def status_of(message: inspection_pb2.RankerStatus) -> RankerStatus:
    return RankerStatus.model_validate(_fields(message))


def _fields(message: Message) -> dict[str, Any]:
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
