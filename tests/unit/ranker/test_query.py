"""What is refused, and what the refusal names."""

import pytest

from headrace.api.ranker.v1.ranker_pb2 import RecommendRequest
from headrace.errors import InvalidInput
from services.ranker.grpc import recommend_query


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (RecommendRequest(n=0), "n"),
        (RecommendRequest(n=201), "n"),
        (RecommendRequest(n=1, user_id="x" * 1_000), "user_id"),
        (RecommendRequest(n=1, user_id="a\nb"), "user_id"),
        (RecommendRequest(n=1, session=["a"] * 201), "session"),
        (RecommendRequest(n=1, session=["a", ""]), "session[1]"),
        (RecommendRequest(n=1, exclude=["a"] * 1_001), "exclude"),
        (RecommendRequest(n=1, exclude=["x" * 129]), "exclude[0]"),
        (RecommendRequest(n=1, category="x" * 101), "category"),
        (RecommendRequest(n=1, user_id="a", after_event_id="x" * 129), "after_event_id"),
        (RecommendRequest(n=1, user_id="a", after_timeout_ms=251), "after_timeout_ms"),
        (RecommendRequest(n=1, after_event_id="e"), "user_id"),
    ],
)
def test_a_refusal_names_the_field(request_: RecommendRequest, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        recommend_query(request_)
    assert [violation.field for violation in refused.value.violations] == [field]


def test_what_is_empty_is_not_given() -> None:
    query = recommend_query(RecommendRequest(n=200))
    assert (query.user_id, query.category, query.after_event_id) == (None, None, None)
    assert query.after_timeout_ms == 250


def test_the_most_that_may_be_asked_is_accepted() -> None:
    request = RecommendRequest(n=200, session=["a"] * 200, exclude=["a"] * 1_000)
    assert len(recommend_query(request).exclude) == 1_000
