"""Kafka's side: batches of interactions in, vectors out."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from headrace.errors import Unavailable
from headrace.runtime.context import TRACEPARENT
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Headers, Message, Refusal
from headrace.runtime.topics import user_vectors
from services.user_embedding.interactions import Arrival, Interaction
from services.user_embedding.messages import user_vector
from services.user_embedding.metrics import EMBED_SECONDS
from services.user_embedding.service import Outcome, UserEmbedding
from services.user_embedding.states import UserState

log = logging.getLogger(__name__)


def group(model_version: str) -> str:
    """Each model version has a group of its own, beside the live one's."""
    return f"user_embedding.{model_version}"


class VectorPublisher:
    """Writes states to `user-vectors.<model version>`."""

    def __init__(self, publisher: Publisher, model_version: str) -> None:
        self._publisher = publisher
        self._model_version = model_version
        self._topic = user_vectors(model_version)

    def publish(
        self, states: Iterable[UserState], headers: Mapping[str, Headers] | None = None
    ) -> None:
        """headers: by person, where there are any.

        Raises: Unavailable where Kafka takes no more.
        """
        self._publisher.publish(
            [
                Outgoing(
                    topic=self._topic,
                    key=state.user_id.encode(),
                    value=user_vector(state, self._model_version).SerializeToString(),
                    headers=(headers or {}).get(state.user_id, ()),
                )
                for state in states
            ]
        )


class InteractionHandler:
    """Handles topic `interactions`.

    items_known: whether every item vector that Kafka held at the start is in memory. Until then
    batches wait, instead of asking for thousands of vectors one by one.
    """

    def __init__(
        self,
        service: UserEmbedding,
        vectors: VectorPublisher,
        items_known: Callable[[], bool],
    ) -> None:
        self._service = service
        self._vectors = vectors
        self._items_known = items_known

    def __call__(self, messages: Sequence[Message[Interaction]]) -> list[Refusal]:
        if not self._items_known():
            raise Unavailable("items' vectors are still being read")
        outcome = self._service.apply(
            [Arrival(message.body, message.record.partition) for message in messages]
        )
        self._vectors.publish(outcome.states, _traces(messages))
        _observe(outcome)
        return _refusals(messages, outcome.unlogged)


def _traces(messages: Sequence[Message[Interaction]]) -> dict[str, Headers]:
    """The trace of each person's last record."""
    return {
        message.body.user_id: [pair for pair in message.record.headers if pair[0] == TRACEPARENT]
        for message in messages
    }


def _observe(outcome: Outcome) -> None:
    now = time.time()
    for state in outcome.states:
        if state.user_id in outcome.moved and state.last_accepted_at is not None:
            EMBED_SECONDS.observe(max(0.0, now - state.last_accepted_at.timestamp()))


def _refusals(
    messages: Sequence[Message[Interaction]], unlogged: Sequence[Interaction]
) -> list[Refusal]:
    if not unlogged:
        return []
    refused = set(unlogged)
    return [
        Refusal(
            message.record,
            "not_in_log",
            f"the log of {message.body.user_id!r} ends before n = {message.body.n}",
        )
        for message in messages
        if message.body in refused
    ]
