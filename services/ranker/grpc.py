"""The gRPC door: translates and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from headrace.api.ranker.v1 import ranker_pb2 as api
from headrace.api.ranker.v1 import ranker_pb2_grpc as stubs
from headrace.contracts.violations import check
from headrace.errors import InvalidInput
from headrace.runtime.list_option_messages import option_fields, rule_fields
from headrace.runtime.timestamps import to_moment
from services.ranker.answers import Explanation, RankedItem, Recommendation
from services.ranker.batches import Batches
from services.ranker.messages import timestamp
from services.ranker.query import (
    LONGEST_WAIT_MS,
    BatchQuery,
    RecommendQuery,
    SimilarQuery,
    SimilarUsersQuery,
)
from services.ranker.service import Ranker

if TYPE_CHECKING:
    import grpc

    Call = grpc.aio.ServicerContext[Any, Any]

SERVICE = api.DESCRIPTOR.services_by_name["RankerService"].full_name


class RankerServicer(stubs.RankerServiceServicer):
    """As the proto says."""

    def __init__(self, ranker: Ranker, batches: Batches) -> None:
        self._ranker = ranker
        self._batches = batches

    async def Recommend(  # noqa: N802
        self, request: api.RecommendRequest, context: Call
    ) -> api.RecommendResponse:
        return recommend_response(await self._ranker.recommend(recommend_query(request)))

    async def SimilarItems(  # noqa: N802
        self, request: api.SimilarItemsRequest, context: Call
    ) -> api.SimilarItemsResponse:
        query = check(
            SimilarQuery,
            {"item_id": request.item_id, "n": request.n, "category": request.category or None},
        )
        answer = await self._ranker.similar(query)
        return api.SimilarItemsResponse(
            model_version=answer.model_version, items=ranked_items(answer.items)
        )

    async def SimilarUsers(  # noqa: N802
        self, request: api.SimilarUsersRequest, context: Call
    ) -> api.SimilarUsersResponse:
        query = check(SimilarUsersQuery, {"user_id": request.user_id, "n": request.n})
        answer = await self._ranker.similar_users(query)
        return api.SimilarUsersResponse(
            model_version=answer.model_version,
            users=[api.SimilarUser(user_id=one.user_id, score=one.score) for one in answer.people],
        )

    def BatchRecommend(  # noqa: N802
        self, request: api.BatchRecommendRequest, context: Call
    ) -> AsyncIterator[api.BatchRecommendResponse]:
        return _messages(self._batches, batch_query(request))


async def _messages(
    batches: Batches, query: BatchQuery
) -> AsyncIterator[api.BatchRecommendResponse]:
    async for lists in batches.made(query):
        yield api.BatchRecommendResponse(
            model_version=batches.model_version,
            lists=[
                api.PersonList(
                    user_id=one.user_id,
                    as_of=timestamp(one.as_of),
                    n_applied=one.n_applied,
                    items=ranked_items(one.items),
                )
                for one in lists
            ],
        )


def batch_query(request: api.BatchRecommendRequest) -> BatchQuery:
    """As `recommend_query`."""
    given: dict[str, Any] = {}
    if request.HasField("active_since"):
        try:
            given["active_since"] = to_moment(request.active_since)
        except ValueError as error:
            raise InvalidInput.of("active_since", str(error)) from error
    return check(
        BatchQuery,
        {
            "user_ids": tuple(request.user_ids),
            "n": request.n,
            "category": request.category or None,
            "exclude": tuple(request.exclude),
            **rule_fields(request),
            **given,
        },
    )


def recommend_query(request: api.RecommendRequest) -> RecommendQuery:
    """What is empty in the message is not given. Raises: InvalidInput naming each field."""
    return check(
        RecommendQuery,
        {
            "user_id": request.user_id or None,
            "session": tuple(request.session),
            "n": request.n,
            "category": request.category or None,
            "exclude": tuple(request.exclude),
            "after_event_id": request.after_event_id or None,
            "after_timeout_ms": request.after_timeout_ms or LONGEST_WAIT_MS,
            **option_fields(request),
        },
    )


def recommend_response(answer: Recommendation) -> api.RecommendResponse:
    return api.RecommendResponse(
        model_version=answer.model_version,
        as_of=timestamp(answer.as_of),
        n_applied=answer.n_applied,
        degraded=answer.degraded,
        items=ranked_items(answer.items),
        after_status=answer.after_status,  # type: ignore[arg-type]  # the enum's number
        next_cursor=answer.next_cursor,
    )


def _explanation(explanation: Explanation) -> api.Explanation:
    return api.Explanation(
        anybody=explanation.anybody,
        history=explanation.history,
        boosts=explanation.boosts,
        because=[
            api.Cause(item_id=one.item_id, title=one.title, log_odds=one.log_odds)
            for one in explanation.because
        ],
    )


def ranked_items(items: Iterable[RankedItem]) -> list[api.RankedItem]:
    """Places of a list as messages carry them."""
    return [
        api.RankedItem(
            item_id=item.item_id,
            score=item.score,
            title=item.title,
            categories=item.categories,
            source=item.source,  # type: ignore[arg-type]  # the enum's number
            propensity=item.propensity,
            explanation=None if item.explanation is None else _explanation(item.explanation),
            picture_url=item.picture_url,
        )
        for item in items
    ]
