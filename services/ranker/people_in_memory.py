"""All that this process holds of people, to be forgotten when somebody is erased."""

from collections.abc import Collection, Sequence

from headrace.store.forgetting import Memory
from services.ranker.neighbours import Neighbours


class PeopleInMemory:
    """Implements `headrace.store.forgetting.Memory`."""

    def __init__(self, memories: Sequence[Memory], neighbours: Neighbours) -> None:
        """neighbours: gathered from the first of `memories`, and so forgotten after it."""
        self._memories = memories
        self._neighbours = neighbours

    def forget(self, people: Collection[str]) -> int:
        removed = sum(memory.forget(people) for memory in self._memories)
        # Also where none was cached: they may have been, when it was gathered.
        self._neighbours.forget()
        return removed

    def forget_everybody(self) -> None:
        for memory in self._memories:
            memory.forget_everybody()
        self._neighbours.forget()
