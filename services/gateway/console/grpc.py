"""Looking into the system over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import ParseDict

from headrace.api.gateway.v1 import console_pb2, console_pb2_grpc
from headrace.api.ranker.v1 import inspection_pb2
from services.gateway.access import Access
from services.gateway.accounts.key_grpc import authorization_in
from services.gateway.console.models import Inspection
from services.gateway.console.service import Console
from services.gateway.grpc import recommend_response, recommendation_request
from services.gateway.history.grpc import entry_message
from services.gateway.keys import Scope

if TYPE_CHECKING:
    import grpc

    Call = grpc.aio.ServicerContext[Any, Any]

CONSOLE = console_pb2.DESCRIPTOR.services_by_name["ConsoleService"].full_name


class ConsoleServicer(console_pb2_grpc.ConsoleServiceServicer):
    """ConsoleService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, console: Console, access: Access) -> None:
        self._console = console
        self._access = access

    async def InspectRecommendations(  # noqa: N802
        self, request: console_pb2.InspectRecommendationsRequest, context: Call
    ) -> console_pb2.InspectRecommendationsResponse:
        self._access.require(authorization_in(context), Scope.ADMIN)
        told = await self._console.inspect(recommendation_request(request.request))
        return console_pb2.InspectRecommendationsResponse(
            list=recommend_response(told.ranked),
            inspection=_inspection(told.inspection),
            events=map(entry_message, told.events),
            interests=told.interests,
        )

    async def GetStatus(  # noqa: N802
        self, request: console_pb2.GetStatusRequest, context: Call
    ) -> console_pb2.GetStatusResponse:
        self._access.require(authorization_in(context), Scope.ADMIN)
        status = (await self._console.status()).model_dump(mode="json", exclude_none=True)
        return console_pb2.GetStatusResponse(
            ranker=ParseDict(status, inspection_pb2.RankerStatus())
        )


def _inspection(inspection: Inspection) -> inspection_pb2.Inspection:
    fields = inspection.model_dump(mode="json", exclude_none=True)
    for one in (*fields["sources"], *fields["candidates"]):
        one["source"] = f"SOURCE_{one['source'].upper()}"
    return ParseDict(fields, inspection_pb2.Inspection())
