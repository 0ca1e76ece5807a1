"""The gRPC door: checks and translates, decides nothing."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from headrace.api.user_embedding.v1 import user_embedding_pb2, user_embedding_pb2_grpc
from headrace.contracts.identifiers import ID_LENGTH, Identifier
from headrace.errors import FailedPrecondition, InvalidInput
from headrace.index.encoding import to_bytes
from headrace.runtime.timestamps import to_moment
from services.user_embedding.coalescing import Coalescing
from services.user_embedding.interactions import EventStatus
from services.user_embedding.memory import RECENT_ITEMS
from services.user_embedding.messages import user_vector
from services.user_embedding.service import UserEmbedding

if TYPE_CHECKING:
    import grpc

    Call = grpc.aio.ServicerContext[Any, Any]

SERVICE = user_embedding_pb2.DESCRIPTOR.services_by_name["UserEmbeddingService"].full_name
SESSION_ITEMS = 200
PAGE = 500

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
_STATUS = {
    EventStatus.APPLIED: user_embedding_pb2.EVENT_STATUS_APPLIED,
    EventStatus.PENDING: user_embedding_pb2.EVENT_STATUS_PENDING,
    EventStatus.WAITING_FOR_ITEM: user_embedding_pb2.EVENT_STATUS_WAITING_FOR_ITEM,
    EventStatus.REFUSED: user_embedding_pb2.EVENT_STATUS_REFUSED,
    EventStatus.UNKNOWN: user_embedding_pb2.EVENT_STATUS_UNKNOWN,
}


class UserEmbeddingServicer(user_embedding_pb2_grpc.UserEmbeddingServiceServicer):
    """As the proto says. The work blocks on Postgres and runs in threads."""

    def __init__(self, service: UserEmbedding, model_version: str) -> None:
        self._service = service
        self._model_version = model_version
        self._current = Coalescing(service.current)

    async def GetUserVector(  # noqa: N802
        self, request: user_embedding_pb2.GetUserVectorRequest, context: Call
    ) -> user_embedding_pb2.GetUserVectorResponse:
        _check_identifier("user_id", request.user_id)
        self._check_version(request.model_version)
        state = await self._current(request.user_id)
        return user_embedding_pb2.GetUserVectorResponse(
            vector=user_vector(state, self._model_version)
        )

    async def EmbedSession(  # noqa: N802
        self, request: user_embedding_pb2.EmbedSessionRequest, context: Call
    ) -> user_embedding_pb2.EmbedSessionResponse:
        if request.user_id:
            _check_identifier("user_id", request.user_id)
        _check_session(request.item_ordinals)
        self._check_version(request.model_version)
        state = await asyncio.to_thread(
            self._service.embed_session, request.user_id, list(request.item_ordinals)
        )
        return user_embedding_pb2.EmbedSessionResponse(
            vector=user_vector(state, self._model_version)
        )

    async def LeaveOut(  # noqa: N802
        self, request: user_embedding_pb2.LeaveOutRequest, context: Call
    ) -> user_embedding_pb2.LeaveOutResponse:
        _check_identifier("user_id", request.user_id)
        if not 1 <= request.items <= RECENT_ITEMS:
            raise InvalidInput.of("items", f"must be 1 to {RECENT_ITEMS}, not {request.items}")
        self._check_version(request.model_version)
        left = await asyncio.to_thread(self._service.leave_out, request.user_id, request.items)
        return user_embedding_pb2.LeaveOutResponse(
            vector=user_vector(left.whole, self._model_version),
            without=[
                user_embedding_pb2.WithoutItem(item_ordinal=n, vector=to_bytes(state.vector))
                for n, state in left.without.items()
            ],
        )

    async def GetEventStatus(  # noqa: N802
        self, request: user_embedding_pb2.GetEventStatusRequest, context: Call
    ) -> user_embedding_pb2.GetEventStatusResponse:
        _check_identifier("user_id", request.user_id)
        _check_identifier("event_id", request.event_id)
        status, n = await asyncio.to_thread(
            self._service.event_status, request.user_id, request.event_id
        )
        return user_embedding_pb2.GetEventStatusResponse(status=_STATUS[status], n=n)

    async def ListUserVectors(  # noqa: N802
        self, request: user_embedding_pb2.ListUserVectorsRequest, context: Call
    ) -> user_embedding_pb2.ListUserVectorsResponse:
        self._check_version(request.model_version)
        if len(request.user_ids) > PAGE:
            raise InvalidInput.of("user_ids", f"must be at most {PAGE}")
        for user_id in request.user_ids:
            _check_identifier("user_ids", user_id)
        if request.user_ids:
            states = await asyncio.to_thread(self._service.stored, list(request.user_ids))
        else:
            states = await asyncio.to_thread(self._service.page, *_page(request))
        return user_embedding_pb2.ListUserVectorsResponse(
            vectors=[user_vector(state, self._model_version) for state in states]
        )

    def _check_version(self, model_version: str) -> None:
        if model_version != self._model_version:
            raise FailedPrecondition(
                f"model version {model_version!r} is asked for, {self._model_version!r} runs here"
            )


def _check_identifier(field: str, value: str) -> None:
    try:
        _IDENTIFIER.validate_python(value)
    except ValidationError:
        raise InvalidInput.of(
            field, f"must be 1 to {ID_LENGTH} characters, visible ones or spaces"
        ) from None


def _page(
    request: user_embedding_pb2.ListUserVectorsRequest,
) -> tuple[str, datetime | None, int]:
    if not 1 <= request.limit <= PAGE:
        raise InvalidInput.of("limit", f"must be 1 to {PAGE}, not {request.limit}")
    if request.after_user_id:
        _check_identifier("after_user_id", request.after_user_id)
    since = None
    if request.HasField("active_since"):
        try:
            since = to_moment(request.active_since)
        except ValueError as error:
            raise InvalidInput.of("active_since", str(error)) from error
    return request.after_user_id, since, request.limit


def _check_session(ordinals: Sequence[int]) -> None:
    if not 1 <= len(ordinals) <= SESSION_ITEMS:
        raise InvalidInput.of(
            "item_ordinals", f"{len(ordinals)} were given; must be 1 to {SESSION_ITEMS}"
        )
