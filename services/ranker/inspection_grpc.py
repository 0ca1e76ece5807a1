"""The gRPC door for looking into the ranker: translates and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Any

from headrace.api.ranker.v1 import inspection_pb2 as api
from headrace.api.ranker.v1 import inspection_pb2_grpc as stubs
from services.ranker.condition import Condition, RankerStatus
from services.ranker.grpc import recommend_query, recommend_response
from services.ranker.inspecting import CandidateTold, Inspection, Named, PersonTold, StepTold
from services.ranker.messages import timestamp
from services.ranker.service import Ranker

if TYPE_CHECKING:
    import grpc

    Call = grpc.aio.ServicerContext[Any, Any]

INSPECTION = api.DESCRIPTOR.services_by_name["InspectionService"].full_name


class InspectionServicer(stubs.InspectionServiceServicer):
    """As the proto says."""

    def __init__(self, ranker: Ranker, condition: Condition) -> None:
        self._ranker = ranker
        self._condition = condition

    async def InspectList(  # noqa: N802
        self, request: api.InspectListRequest, context: Call
    ) -> api.InspectListResponse:
        answer, inspection = await self._ranker.inspect(recommend_query(request.request))
        return api.InspectListResponse(
            list=recommend_response(answer), inspection=inspection_message(inspection)
        )

    async def GetRankerStatus(  # noqa: N802
        self, request: api.GetRankerStatusRequest, context: Call
    ) -> api.GetRankerStatusResponse:
        return api.GetRankerStatusResponse(status=status_message(self._condition.now()))


def status_message(status: RankerStatus) -> api.RankerStatus:
    manifest, loaded = status.manifest, status.trending_loaded_at
    return api.RankerStatus(
        model=api.ModelFacts(
            model_version=manifest.model_version,
            created_at=manifest.created_at,
            width=manifest.width,
            user_width=manifest.user_width,
            tower=manifest.tower,
            ranking=manifest.ranking,
            items=manifest.items,
            metrics=manifest.metrics,
        ),
        started_at=timestamp(status.started_at),
        items_known=status.items_known,
        items_shown=status.items_shown,
        indexes=[
            api.IndexStatus(
                name=name, base=sizes.base, delta=sizes.delta, tombstones=sizes.tombstones
            )
            for name, sizes in status.indexes.items()
        ],
        people=status.people,
        people_bytes=status.people_bytes,
        people_max_bytes=status.people_max_bytes,
        filters=status.filters,
        trending_items=status.trending_items,
        trending_loaded_at=None if loaded is None else timestamp(loaded),
        readers=[
            api.ReaderStatus(topic=one.topic, caught_up=one.caught_up, lag=one.lag)
            for one in status.readers
        ],
    )


def inspection_message(inspection: Inspection) -> api.Inspection:
    return api.Inspection(
        person=None if inspection.person is None else _person(inspection.person),
        steps=map(_step, inspection.steps),
        sources=[
            api.FoundBy(source=source, found=found, shown=shown)  # type: ignore[arg-type]  # number
            for source, found, shown in inspection.sources
        ],
        candidates=map(_candidate, inspection.candidates),
        found=inspection.found,
    )


def _person(person: PersonTold) -> api.InspectedPerson:
    last = person.last_occurred_at
    return api.InspectedPerson(
        n=person.n,
        epoch=person.epoch,
        has_vector=person.has_vector,
        seen=person.seen,
        recent=map(_named, person.recent),
        last_occurred_at=None if last is None else timestamp(last),
    )


def _step(step: StepTold) -> api.Step:
    return api.Step(
        name=step.step,
        kept=step.kept,
        removed=step.removed,
        moved=step.moved,
        examples=map(_named, step.examples),
    )


def _candidate(one: CandidateTold) -> api.Candidate:
    return api.Candidate(
        item=_named(one.item),
        categories=one.categories,
        source=one.source,  # type: ignore[arg-type]  # the enum's number
        retrieval_rank=one.retrieval_rank,
        retrieval_score=one.retrieval_score,
        rank=one.rank,
        score=one.score,
        boosted_score=one.boosted_score,
        boosted_rank=one.boosted_rank,
        place=one.place,
        left_out=one.left_out,
    )


def _named(item: Named) -> api.NamedItem:
    return api.NamedItem(item_id=item.item_id, title=item.title)
