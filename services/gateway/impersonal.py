"""Requests for lists that may not be personal: what anybody gets, but for what was refused."""

from collections.abc import Set
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from headrace.contracts.filters import Condition, Filter, OneCategory
from services.gateway.lists import Unwanted
from services.gateway.models import EXCLUDE_LENGTH, RecommendationRequest

_AT_ONCE = 100  # categories in one condition
_FILTER: TypeAdapter[Condition] = TypeAdapter(Filter)


class UnwantedByPeople(Protocol):
    """Knows what people want in no list, for lists that are made without their vectors. Never
    fails."""

    async def of(self, user_id: str) -> Unwanted:
        """Nothing where that cannot be found out now."""


def for_anybody(request: RecommendationRequest) -> RecommendationRequest:
    """The same without what tells of a person: who they are, and what they did on this visit."""
    impersonal: dict[str, object] = {
        "user_id": None,
        "after": None,
        "session": [],
        "explain": False,
    }
    return request.model_copy(update=impersonal)


def leaving_out(request: RecommendationRequest, unwanted: Unwanted) -> RecommendationRequest:
    """The same without these items and categories, as far as there is room for them: what does
    not fit has to be taken out of the answer."""
    exclude = [*request.exclude, *sorted(unwanted.items)][:EXCLUDE_LENGTH]
    condition = request.filter
    if unwanted.categories:
        condition = _within_limits(condition, _none_of(unwanted.categories))
    return request.model_copy(update={"exclude": exclude, "filter": condition})


def _none_of(categories: Set[str]) -> Condition:
    names = sorted(categories)
    parts = [names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)]
    return Condition(
        none=tuple(Condition(category=OneCategory(one_of=tuple(part))) for part in parts)
    )


def _within_limits(given: Condition | None, none: Condition) -> Condition | None:
    """Both; the given one alone where that would be more than a filter may hold."""
    try:
        return _FILTER.validate_python(none if given is None else Condition(all=(given, none)))
    except ValidationError:
        return given
