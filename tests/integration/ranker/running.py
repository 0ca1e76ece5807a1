"""A ranker process, and what feeds it: topics, counts in Postgres, vectors of the toy bundle."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import grpc
import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from pyroaring import BitMap

from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.api.ranker.v1 import ranker_pb2 as api
from headrace.api.ranker.v1.ranker_pb2_grpc import RankerServiceStub
from headrace.api.vectors.v1.vectors_pb2 import ItemVector, UserVector
from headrace.bundle import Bundle
from headrace.bundle.content import ItemContent
from headrace.index.encoding import to_bytes
from headrace.local.ports import free_ports
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import item_vectors, user_vectors
from headrace.training.toy import toy_items
from tests.integration.ranker.user_embedding import ToldUserEmbedding
from tests.service_process import DEADLINE_S, ServiceProcess


class Model:
    """The toy bundle under a version of its own. Item `item-<i>` has ordinal i + 1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bundle = Bundle.load(str(folder), ["item"])
        self.version = self.bundle.model_version
        self.width = self.bundle.width
        self.items: Sequence[ItemContent] = toy_items()
        self.vectors, self.biases = self.bundle.items.encode(self.items)

    def item(self, i: int, *, revision: int = 1, deleted: bool = False) -> ItemVector:
        content = self.items[i]
        return ItemVector(
            model_version=self.version,
            change=ItemChange(
                item=Item(
                    item_id=content.item_id, title=content.title, categories=content.categories
                ),
                ordinal=i + 1,
                revision=revision,
                deleted=deleted,
            ),
            vector=to_bytes(self.vectors[i]),
            width=self.width,
            bias=float(self.biases[i]),
        )

    def user(
        self,
        user_id: str,
        n: int,
        likes: int,
        *,
        event_ids: Iterable[str] = (),
        accepted_at: Timestamp | None = None,
    ) -> UserVector:
        """Somebody whose vector is that of item `likes`, which they have seen."""
        return UserVector(
            user_id=user_id,
            model_version=self.version,
            n=n,
            last_occurred_at=Timestamp(seconds=1_700_000_000 + n),
            vector=to_bytes(self.vectors[likes].astype(np.float32)),
            width=self.width,
            recent_ordinals=[likes + 1],
            seen=BitMap([likes + 1]).serialize(),
            recent_event_ids=event_ids,
            last_accepted_at=accepted_at,
        )


class RankerProcess(ServiceProcess):
    """`python -m services.ranker`, once or more times."""

    def __init__(
        self, kafka: str, database: str, model: Model, publisher: Publisher, log_file: Path
    ) -> None:
        (embedding_port,) = free_ports(1)
        self.model = model
        self.embedding = ToldUserEmbedding(embedding_port, model.version, model.width)
        super().__init__(
            "ranker",
            log_file,
            {
                "KAFKA_BOOTSTRAP_SERVERS": kafka,
                "DATABASE_URL": database,
                "BUNDLE_URL": str(model.folder),
                "USER_EMBEDDING_ADDRESS": self.embedding.address,
                # The machine may be busy; what is tested here is not how fast it is.
                "USER_EMBEDDING_TIMEOUT_MS": "5000",
                "TRENDING_REFRESH_S": "0.1",
            },
        )
        self._publisher = publisher
        self._channel = grpc.insecure_channel(self.address)
        self._stub = RankerServiceStub(self._channel)

    def close(self) -> None:
        self.embedding.stop()
        self._channel.close()
        super().close()

    def publish(self, *messages: ItemVector | UserVector) -> None:
        self.publish_bytes(
            *(
                (item_vectors(self.model.version), m.change.item.item_id, m.SerializeToString())
                if isinstance(m, ItemVector)
                else (user_vectors(self.model.version), m.user_id, m.SerializeToString())
                for m in messages
            )
        )

    def publish_bytes(self, *records: tuple[str, str, bytes]) -> None:
        self._publisher.publish([Outgoing(topic, key.encode(), v) for topic, key, v in records])
        self._publisher.flush()

    def recommend(self, **request: object) -> api.RecommendResponse:
        asked = api.RecommendRequest(**{"n": 5, **request})  # type: ignore[arg-type]
        return self._stub.Recommend(asked, timeout=DEADLINE_S)

    def batch(self, **request: object) -> list[api.PersonList]:
        asked = api.BatchRecommendRequest(**{"n": 5, **request})  # type: ignore[arg-type]
        answers = self._stub.BatchRecommend(asked, timeout=DEADLINE_S)
        return [one for answer in answers for one in answer.lists]

    def similar(self, **request: object) -> api.SimilarItemsResponse:
        asked = api.SimilarItemsRequest(**{"n": 5, **request})  # type: ignore[arg-type]
        return self._stub.SimilarItems(asked, timeout=DEADLINE_S)
