"""Everything around one user_embedding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headrace.bundle import Bundle
from headrace.index.encoding import from_bytes
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Publisher
from services.user_embedding.interactions import Interaction
from tests.integration.user_embedding.items import Items, Owner
from tests.integration.user_embedding.logs import Tables, records, replayed
from tests.integration.user_embedding.running import Service, Told
from tests.service_process import DEADLINE_S

Logs = Mapping[str, Sequence[Interaction]]


@dataclass(frozen=True)
class World:
    """The process, not started yet; its topics exist and hold the items."""

    service: Service
    told: Told
    tables: Tables
    publisher: Publisher
    bundle: Bundle
    items: Items
    owner: Owner

    def publish(self, log: Sequence[Interaction]) -> None:
        self.publisher.publish(records(log))
        self.publisher.flush()

    def all_told(self, logs: Logs) -> bool:
        """Whether everybody's vector has the whole log within the time that a test has."""
        return wait_until(
            lambda: all(self.told.has(user, len(log)) for user, log in logs.items()), DEADLINE_S
        )

    def assert_as_replayed(self, logs: Logs) -> None:
        for user, log in logs.items():
            vector = self.told.vectors[user]
            assert vector.n == len(log)
            actual = from_bytes(vector.vector, self.bundle.width)
            expected = replayed(self.bundle, self.items.vectors, log)
            np.testing.assert_allclose(actual, expected, atol=1e-5)
