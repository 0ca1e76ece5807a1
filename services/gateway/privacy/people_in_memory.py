"""All that a gateway holds of people, to be forgotten when somebody is erased."""

from collections.abc import Collection, Sequence

from headrace.store.forgetting import Memory
from services.gateway.privacy.choice_store import ChoiceStore
from services.gateway.privacy.choices import Choices


class PeopleInMemory:
    """Implements `headrace.store.forgetting.Memory`."""

    def __init__(
        self, memories: Sequence[Memory], choices: Choices, choice_store: ChoiceStore
    ) -> None:
        self._memories = memories
        self._choices = choices
        self._choice_store = choice_store

    def forget(self, people: Collection[str]) -> int:
        """Raises: Unavailable while Postgres is away."""
        # Who turned personal lists off is forgotten for it too, and still does not want them.
        silent = set(people) - self._choice_store.unwilling(people)
        removed = self._choices.forget(silent)
        return removed + sum(memory.forget(people) for memory in self._memories)

    def forget_everybody(self) -> None:
        """Choices stay: the feed goes on reading them."""
        for memory in self._memories:
            memory.forget_everybody()
