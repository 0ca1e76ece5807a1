"""Uses a running system as an application does, and looks into its Postgres afterwards."""

import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import httpx
import numpy as np
import psycopg2
from numpy.typing import NDArray

from headrace.api.user_embedding.v1.user_embedding_pb2 import GetUserVectorRequest
from headrace.api.user_embedding.v1.user_embedding_pb2_grpc import UserEmbeddingServiceStub
from headrace.bundle import Bundle
from headrace.contracts.events import EventType
from headrace.index.encoding import from_bytes
from headrace.local.system import LocalSystem
from headrace.runtime.grpc_channel import open_blocking_channel

API_KEY = "a-key-for-the-tests-alone"
_BATCH = 50
_RETRY_S = 0.1


class System(Protocol):
    """What runs."""

    @property
    def http_url(self) -> str: ...

    @property
    def database_url(self) -> str: ...

    @property
    def model_version(self) -> str: ...

    def grpc_address(self, service: str) -> str: ...


class Client:
    """A client of the gateway that repeats what was not accepted, with the same ids."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.http = httpx.Client(
            base_url=system.http_url, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=10
        )

    def close(self) -> None:
        self.http.close()

    def send(self, events: Sequence[dict[str, Any]], deadline_s: float = 60.0) -> None:
        """Sends events in batches, each until it is accepted."""
        for start in range(0, len(events), _BATCH):
            batch = list(events[start : start + _BATCH])
            until(partial(self._accepted, batch), deadline_s, "a batch was accepted")

    def _accepted(self, batch: list[dict[str, Any]]) -> bool:
        try:
            answer = self.http.post("/v1/events", json={"events": batch})
        except httpx.TransportError:
            return False  # the gateway is down: the same ids again
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return False
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        assert answer.json()["event_ids"] == [event["event_id"] for event in batch]
        return True

    def recommendations(self, user_id: str, **params: Any) -> dict[str, Any]:
        answer = self.http.get(f"/v1/users/{user_id}/recommendations", params=params)
        assert answer.status_code == httpx.codes.OK, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def rows(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Rows of a query on the system's Postgres."""
        connection = psycopg2.connect(self.system.database_url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                return cursor.fetchall()
        finally:
            connection.close()

    def until_applied(self, prefix: str, events: int, deadline_s: float = 60.0) -> None:
        """Waits until the people of `prefix` have all their events in their stored states."""

        def applied() -> bool:
            ((total,),) = self.rows(
                "SELECT coalesce(sum(n), 0) FROM user_states WHERE user_id LIKE %s", prefix + "%"
            )
            return bool(total == events)

        until(applied, deadline_s, f"{events} events were applied")

    def assert_each_stored_once(self, prefix: str, events: int) -> None:
        """Every event is in the log once, numbered from 1 without gaps."""
        rows = self.rows(
            "SELECT count(*), count(DISTINCT (user_id, event_id)) FROM interactions"
            " WHERE user_id LIKE %s",
            prefix + "%",
        )
        assert rows == [(events, events)]
        gaps = self.rows(
            "SELECT user_id FROM interactions WHERE user_id LIKE %s"
            " GROUP BY user_id HAVING min(n) <> 1 OR max(n) <> count(*)",
            prefix + "%",
        )
        assert gaps == []

    def served_vector(self, user_id: str) -> NDArray[np.float32]:
        """The vector that user_embedding gives out."""
        address = self.system.grpc_address("user_embedding")
        request = GetUserVectorRequest(user_id=user_id, model_version=self.system.model_version)
        with open_blocking_channel(address) as channel:
            vector = UserEmbeddingServiceStub(channel).GetUserVector(request, timeout=10).vector
        return from_bytes(vector.vector, vector.width)

    def replayed_vector(self, bundle: Bundle, user_id: str) -> NDArray[np.float32]:
        """The vector of an uninterrupted replay: the stored log, one step an event."""
        rows = self.rows(
            "SELECT i.type, i.value, i.occurred_at, v.vector"
            " FROM interactions i JOIN item_vectors v"
            " ON v.ordinal = i.item_ordinal AND v.model_version = %s"
            " WHERE i.user_id = %s ORDER BY i.n",
            self.system.model_version,
            user_id,
        )
        state = bundle.user.initial_state(1)
        vector = np.zeros((1, bundle.user_width), dtype=np.float32)
        previous = None
        for type_, value, occurred_at, item in rows:
            gap = 0.0 if previous is None else max(0.0, (occurred_at - previous).total_seconds())
            previous = occurred_at
            if type_ == EventType.DISLIKE:
                continue
            item_vector = from_bytes(bytes(item), bundle.width)[None]
            state, vector = bundle.user.step(
                state,
                item_vector,
                np.array([type_]),
                np.array([gap], dtype=np.float32),
                ratings=np.array([value if type_ == EventType.RATING else 0.0]),
            )
        replayed: NDArray[np.float32] = vector[0]
        return replayed


class Visitor(Client):
    """Of a system of which each process can be stopped."""

    system: LocalSystem

    def __init__(self, system: LocalSystem) -> None:
        super().__init__(system)


def until(condition: Callable[[], bool], deadline_s: float, what: str) -> None:
    """Waits for a condition. Raises TimeoutError, naming it, after the deadline."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {deadline_s} s: {what}")
        time.sleep(_RETRY_S)


def new_events(prefix: str, people: int, each: int, items: Sequence[str]) -> list[dict[str, Any]]:
    """Events of several people by turns, of every type, over all items."""
    types = ["click", "view", "purchase", "like", "dislike", "cart", "rating"]
    events = []
    for number in range(people * each):
        type_ = types[number % len(types)]
        event: dict[str, Any] = {
            "event_id": uuid.uuid4().hex,
            "user_id": f"{prefix}{number % people}",
            "item_id": items[(number * 7) % len(items)],
            "type": type_,
        }
        if type_ == "rating":
            event["value"] = 1 + number % 5
        events.append(event)
    return events
