"""What people see, as it is noted down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from headrace.contracts.filters import Condition
from headrace.contracts.list_kinds import ListKind
from services.gateway.answers import request_id
from services.gateway.lists import ListedItem, RankedList
from services.gateway.models import RecommendationRequest


@dataclass(frozen=True, slots=True)
class ShownList:
    """A page of a list, best first, as somebody sees it.

    user_id: None: nobody in particular. model_version: empty where no model had a say.
    """

    request_id: str
    user_id: str | None
    kind: ListKind | Literal["search"]
    model_version: str
    items: Sequence[ListedItem]
    personal: bool = False
    degraded: str | None = None
    category: str | None = None
    filter: Condition | None = None


class Impressions(Protocol):
    """Takes note of what is shown, without making anybody wait."""

    def served(self, shown: ShownList) -> None:
        """A list that is about to be answered. Where there is no room it is not noted down."""

    def reported(self, lists: Sequence[ShownList]) -> None:
        """Lists that others show: all of them or none. Raises: Unavailable where there is no
        room."""


def answered(request: RecommendationRequest, ranked: RankedList) -> ShownList:
    """The list of a request, of the one under way."""
    return ShownList(
        request_id(),
        request.user_id,
        request.kind,
        ranked.model_version,
        ranked.items,
        ranked.personal,
        ranked.degraded,
        request.category,
        request.filter,
    )
