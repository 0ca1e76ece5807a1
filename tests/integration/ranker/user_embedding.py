"""Another implementation of user_embedding's contract: answers what a test tells it."""

from concurrent.futures import ThreadPoolExecutor

import grpc

from headrace.api.user_embedding.v1 import user_embedding_pb2 as api
from headrace.api.user_embedding.v1 import user_embedding_pb2_grpc as stubs
from headrace.api.vectors.v1.vectors_pb2 import UserVector
from headrace.local.ports import HOST


class ToldUserEmbedding(stubs.UserEmbeddingServiceServicer):
    """People without an entry in `vectors` have no history."""

    def __init__(self, port: int, model_version: str, width: int) -> None:
        self.vectors: dict[str, UserVector] = {}
        self.events: dict[str, tuple[api.EventStatus.ValueType, int]] = {}
        self.fetches: list[str] = []
        self.address = f"{HOST}:{port}"
        self._model_version = model_version
        self._width = width
        self._server: grpc.Server | None = None

    def start(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        stubs.add_UserEmbeddingServiceServicer_to_server(self, self._server)
        self._server.add_insecure_port(self.address)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(0).wait()
            self._server = None

    def GetUserVector(  # noqa: N802
        self, request: api.GetUserVectorRequest, context: object
    ) -> api.GetUserVectorResponse:
        assert request.model_version == self._model_version
        self.fetches.append(request.user_id)
        nothing = UserVector(
            user_id=request.user_id, model_version=self._model_version, width=self._width
        )
        return api.GetUserVectorResponse(vector=self.vectors.get(request.user_id, nothing))

    def EmbedSession(  # noqa: N802
        self, request: api.EmbedSessionRequest, context: object
    ) -> api.EmbedSessionResponse:
        return api.EmbedSessionResponse(vector=self.vectors[f"visit {request.item_ordinals[-1]}"])

    def LeaveOut(  # noqa: N802
        self, request: api.LeaveOutRequest, context: object
    ) -> api.LeaveOutResponse:
        whole = self.vectors[request.user_id]
        nothing = bytes(len(whole.vector))
        return api.LeaveOutResponse(
            vector=whole,
            without=[
                api.WithoutItem(item_ordinal=ordinal, vector=nothing)
                for ordinal in whole.recent_ordinals
            ],
        )

    def ListUserVectors(  # noqa: N802
        self, request: api.ListUserVectorsRequest, context: object
    ) -> api.ListUserVectorsResponse:
        assert request.model_version == self._model_version
        named = set(request.user_ids or self.vectors)
        behind = [one for one in sorted(self.vectors) if one > request.after_user_id]
        found = [self.vectors[one] for one in behind if one in named]
        return api.ListUserVectorsResponse(vectors=found[: request.limit or None])

    def GetEventStatus(  # noqa: N802
        self, request: api.GetEventStatusRequest, context: object
    ) -> api.GetEventStatusResponse:
        unknown = (api.EVENT_STATUS_UNKNOWN, 0)
        status, n = self.events.get(request.event_id, unknown)
        return api.GetEventStatusResponse(status=status, n=n)
