"""user_embedding over gRPC."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import grpc

from headrace.api.user_embedding.v1 import user_embedding_pb2 as api
from headrace.api.user_embedding.v1 import user_embedding_pb2_grpc as stubs
from headrace.api.vectors.v1 import vectors_pb2 as vectors
from headrace.errors import HeadraceError, Unavailable
from headrace.index.encoding import from_bytes
from headrace.runtime.circuit import Circuit
from headrace.runtime.grpc_channel import call
from services.ranker import messages
from services.ranker.answers import EventStatus
from services.ranker.people import LeftOut
from services.ranker.users import UserVector

log = logging.getLogger(__name__)

T = TypeVar("T")

CALLEE = "user_embedding"
# It reads hundreds of states.
_LIST_S = 10.0
# It replays the person's log.
_LEAVE_OUT_S = 1.5


class UserEmbeddingClient:
    """Implements `UserEmbedding`. Whatever fails counts as "away": a list is made without it."""

    def __init__(
        self, channel: grpc.aio.Channel, model_version: str, width: int, timeout_s: float
    ) -> None:
        # The stub's type knows blocking channels only, what it makes with this one is awaitable.
        self._stub: stubs.UserEmbeddingServiceAsyncStub = stubs.UserEmbeddingServiceStub(channel)
        self._model_version = model_version
        self._width = width
        self._timeout_s = timeout_s
        self._circuit = Circuit(CALLEE, pause_s=0.5)

    async def user_vector(self, user_id: str) -> UserVector:
        request = api.GetUserVectorRequest(user_id=user_id, model_version=self._model_version)
        answer = await self._run(
            lambda: call(self._stub.GetUserVector, request, CALLEE, self._timeout_s)
        )
        return self._read(answer.vector)

    async def session_vector(self, user_id: str | None, ordinals: Sequence[int]) -> UserVector:
        request = api.EmbedSessionRequest(
            user_id=user_id or "", item_ordinals=ordinals, model_version=self._model_version
        )
        answer = await self._run(
            lambda: call(self._stub.EmbedSession, request, CALLEE, self._timeout_s)
        )
        return self._read(answer.vector)

    async def leave_out(self, user_id: str, items: int) -> LeftOut:
        request = api.LeaveOutRequest(
            user_id=user_id, items=items, model_version=self._model_version
        )
        answer = await self._run(lambda: call(self._stub.LeaveOut, request, CALLEE, _LEAVE_OUT_S))
        try:
            without = {
                one.item_ordinal: from_bytes(one.vector, self._width) for one in answer.without
            }
        except ValueError as error:
            raise Unavailable(f"{CALLEE} answered what cannot be used: {error}") from error
        return LeftOut(self._read(answer.vector), without)

    async def event_status(self, user_id: str, event_id: str) -> tuple[EventStatus, int]:
        request = api.GetEventStatusRequest(user_id=user_id, event_id=event_id)
        answer = await self._run(
            lambda: call(self._stub.GetEventStatus, request, CALLEE, self._timeout_s)
        )
        return EventStatus(answer.status), answer.n

    async def many(self, user_ids: Sequence[str]) -> list[UserVector]:
        return await self._listed(api.ListUserVectorsRequest(user_ids=user_ids))

    async def page(self, after: str, active_since: float | None, limit: int) -> list[UserVector]:
        request = api.ListUserVectorsRequest(after_user_id=after, limit=limit)
        if active_since is not None:
            request.active_since.CopyFrom(messages.timestamp(active_since))
        return await self._listed(request)

    async def _listed(self, request: api.ListUserVectorsRequest) -> list[UserVector]:
        """Past the circuit: what a batch waits for says nothing about lists that wait 150 ms."""
        request.model_version = self._model_version
        try:
            answer = await call(self._stub.ListUserVectors, request, CALLEE, _LIST_S)
        except Unavailable:
            raise
        except HeadraceError as error:
            raise Unavailable(str(error)) from error
        return [self._read(vector) for vector in answer.vectors]

    async def _run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._circuit.run(attempt)
        except Unavailable:
            raise
        except HeadraceError as error:
            log.error("%s cannot be used: %s", CALLEE, error)
            raise Unavailable(str(error)) from error

    def _read(self, vector: vectors.UserVector) -> UserVector:
        try:
            return messages.user_vector(vector, self._width)
        except ValueError as error:
            log.error("%s answered what cannot be used: %s", CALLEE, error)
            raise Unavailable(f"{CALLEE} answered what cannot be used: {error}") from error
