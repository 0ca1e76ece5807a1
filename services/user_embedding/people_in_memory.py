"""All that this process holds of people, to be forgotten when somebody is erased."""

from collections.abc import Collection

from services.user_embedding.announcer import Announcer
from services.user_embedding.service import UserEmbedding


class PeopleInMemory:
    """Implements `headrace.store.forgetting.Memory`."""

    def __init__(self, service: UserEmbedding, announcer: Announcer) -> None:
        self._service = service
        self._announcer = announcer

    def forget(self, people: Collection[str]) -> int:
        return self._announcer.forget(people) + self._service.forget(people)

    def forget_everybody(self) -> None:
        """What is yet to be told of states stays: Postgres refuses those of who was erased."""
        self._service.forget_everybody()
