"""What was refused is asked to be left out, as far as a request has room for it."""

from headrace.contracts.filters import CONDITIONS, Condition
from services.gateway.impersonal import leaving_out
from services.gateway.lists import Unwanted
from services.gateway.models import EXCLUDE_LENGTH, RecommendationRequest

NEW = Condition.model_validate({"tag": {"one_of": ["new"]}})


def test_a_filter_that_was_asked_for_still_holds() -> None:
    asked = leaving_out(RecommendationRequest(filter=NEW), Unwanted(categories=frozenset({"War"})))
    assert asked.filter is not None
    assert asked.filter.model_dump(exclude_none=True) == {
        "all": (
            {"tag": {"one_of": ("new",)}},
            {"none": ({"category": {"one_of": ("War",)}},)},
        )
    }
    assert RecommendationRequest.model_validate(asked.model_dump(exclude_unset=True))


def test_more_categories_than_a_condition_holds_are_several_conditions() -> None:
    names = frozenset(f"Category {number:03}" for number in range(200))
    condition = leaving_out(RecommendationRequest(), Unwanted(categories=names)).filter
    assert condition is not None
    assert condition.none is not None
    assert [one.values for one in condition.none] == [100, 100]


def test_what_has_no_room_is_not_asked_for() -> None:
    full = Condition(any=(NEW,) * (CONDITIONS - 1))
    given = RecommendationRequest(exclude=["a"], filter=full)
    many = Unwanted(frozenset(map(str, range(EXCLUDE_LENGTH))), frozenset({"War"}))
    asked = leaving_out(given, many)
    assert asked.filter == full
    assert len(asked.exclude) == EXCLUDE_LENGTH
    assert "a" in asked.exclude
