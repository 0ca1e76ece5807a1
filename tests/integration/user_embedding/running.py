"""A user_embedding process, the calls that it answers, and the vectors that it publishes."""

from collections.abc import Sequence
from pathlib import Path

import grpc

from headrace.api.user_embedding.v1 import user_embedding_pb2 as pb
from headrace.api.user_embedding.v1.user_embedding_pb2_grpc import UserEmbeddingServiceStub
from headrace.api.vectors.v1.vectors_pb2 import UserVector
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.kafka_reader import TopicReader
from headrace.runtime.kafka_records import Message, Record
from headrace.runtime.topics import user_vectors
from tests.service_process import DEADLINE_S, ServiceProcess


class Service(ServiceProcess):
    """`python -m services.user_embedding`, once or more times."""

    def __init__(
        self,
        *,
        kafka: str,
        database: str,
        bundle: Path,
        model_version: str,
        item_embedding: str,
        log_file: Path,
    ) -> None:
        super().__init__(
            "user_embedding",
            log_file,
            {
                "KAFKA_BOOTSTRAP_SERVERS": kafka,
                "DATABASE_URL": database,
                "BUNDLE_URL": str(bundle),
                "ITEM_EMBEDDING_ADDRESS": item_embedding,
                "SWEEP_PERIOD_S": "0.5",
            },
        )
        self._model_version = model_version

    def calls(self) -> "Calls":
        return Calls(self.address, self._model_version)


class Calls:
    """The service's RPCs."""

    def __init__(self, address: str, model_version: str) -> None:
        self.stub = UserEmbeddingServiceStub(grpc.insecure_channel(address))
        self._model_version = model_version

    def vector(self, user_id: str, model_version: str | None = None) -> UserVector:
        version = self._model_version if model_version is None else model_version
        request = pb.GetUserVectorRequest(user_id=user_id, model_version=version)
        return self.stub.GetUserVector(request, timeout=DEADLINE_S).vector

    def many(self, **asked: object) -> list[UserVector]:
        request = pb.ListUserVectorsRequest(
            model_version=self._model_version,
            **asked,  # type: ignore[arg-type]
        )
        return list(self.stub.ListUserVectors(request, timeout=DEADLINE_S).vectors)

    def session(self, user_id: str, ordinals: Sequence[int]) -> UserVector:
        request = pb.EmbedSessionRequest(
            user_id=user_id, item_ordinals=ordinals, model_version=self._model_version
        )
        return self.stub.EmbedSession(request, timeout=DEADLINE_S).vector

    def status(self, user_id: str, event_id: str) -> tuple[str, int]:
        request = pb.GetEventStatusRequest(user_id=user_id, event_id=event_id)
        answer = self.stub.GetEventStatus(request, timeout=DEADLINE_S)
        return pb.EventStatus.Name(answer.status).removeprefix("EVENT_STATUS_"), answer.n


class Told:
    """What rankers were told: the latest vector of each person."""

    def __init__(self, kafka: str, model_version: str, publisher: Publisher) -> None:
        self.vectors: dict[str, UserVector] = {}
        self.headers: dict[str, dict[str, bytes]] = {}
        self.failures: list[BaseException] = []
        self._reader = TopicReader(
            bootstrap_servers=kafka,
            topic=user_vectors(model_version),
            since="beginning",
            decode=_decode,
            apply=self._note,
            publisher=publisher,
            on_failure=self.failures.append,
        )
        self._reader.start()

    def has(self, user_id: str, n: int) -> bool:
        assert not self.failures
        vector = self.vectors.get(user_id)
        return vector is not None and vector.n >= n

    def close(self) -> None:
        self._reader.stop(10)

    def _note(self, messages: Sequence[Message[UserVector]]) -> None:
        for message in messages:
            vector, known = message.body, self.vectors.get(message.body.user_id)
            if known is None or (known.epoch, known.n) <= (vector.epoch, vector.n):
                self.vectors[vector.user_id] = vector
                self.headers[vector.user_id] = dict(message.record.headers)


def _decode(record: Record) -> UserVector:
    assert record.value is not None
    return UserVector.FromString(record.value)
