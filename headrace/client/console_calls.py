"""Every call of the clients of the console, as `calls` has those of the others."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import cast

from headrace.api.events.v1 import events_pb2
from headrace.api.gateway.v1 import console_pb2 as api
from headrace.api.gateway.v1 import gateway_pb2
from headrace.api.ranker.v1 import inspection_pb2, list_options_pb2, ranker_pb2
from headrace.client.calls import Call
from headrace.client.console_models import (
    FoundBy,
    IndexStatus,
    InspectedCandidate,
    InspectedItem,
    InspectedList,
    InspectedPerson,
    InspectedStep,
    LiveEvent,
    LiveEvents,
    LiveType,
    ModelFacts,
    NamedItem,
    RankerStatus,
    ReaderStatus,
    ShownAndChosen,
    Visibility,
)
from headrace.client.history_calls import history_entry
from headrace.client.messages import from_recommendations, item_of, listed, name_of
from headrace.client.models import Source
from headrace.contracts.list_kinds import Window
from headrace.errors import InvalidInput


def inspect(
    request: gateway_pb2.RecommendRequest,
) -> Call[api.InspectRecommendationsResponse, InspectedList]:
    return Call(
        "InspectRecommendations", api.InspectRecommendationsRequest(request=request), _inspected
    )


def inspect_item(item_id: str) -> Call[api.InspectItemResponse, InspectedItem]:
    return Call("InspectItem", api.InspectItemRequest(item_id=item_id), _item)


def _item(answer: api.InspectItemResponse) -> InspectedItem:
    return InspectedItem(
        item_id=answer.item_id,
        title=answer.title,
        revision=answer.revision,
        updated_at=answer.updated_at.ToDatetime(UTC),
        visibility=cast("Visibility", name_of(api.Visibility, "VISIBILITY_", answer.visibility)),
        item=item_of(answer.item, answer.revision) if answer.HasField("item") else None,
        in_lists=answer.in_lists,
        similar=listed(answer.similar),
        windows=tuple(
            ShownAndChosen(
                cast("Window", name_of(list_options_pb2.Window, "WINDOW_", one.window)),
                one.impressions,
                one.events,
            )
            for one in answer.windows
        ),
    )


def watch_request(user_id: str | None, types: Sequence[LiveType]) -> api.WatchEventsRequest:
    """Raises: InvalidInput for a type that does not exist."""
    numbers = events_pb2.EventType.DESCRIPTOR.values_by_name
    names = {name.removeprefix("EVENT_TYPE_").lower(): one.number for name, one in numbers.items()}
    unknown = [one for one in types if one not in names]
    if unknown:
        raise InvalidInput.of("types", f"must be of {', '.join(names)}, not {unknown[0]!r}")
    return api.WatchEventsRequest(
        user_id=user_id or "",
        types=[events_pb2.EventType.ValueType(names[one]) for one in types],
    )


def live_events(answer: api.WatchEventsResponse) -> LiveEvents:
    return LiveEvents(tuple(map(_live, answer.events)), answer.dropped)


def _live(event: api.LiveEvent) -> LiveEvent:
    accepted = event.accepted_at
    return LiveEvent(
        event_id=event.event_id,
        user_id=event.user_id,
        n=event.n,
        item_id=event.item_id,
        type=cast("LiveType", name_of(events_pb2.EventType, "EVENT_TYPE_", event.type)),
        value=event.value if event.HasField("value") else None,
        occurred_at=event.occurred_at.ToDatetime(UTC),
        accepted_at=accepted.ToDatetime(UTC) if event.HasField("accepted_at") else None,
        backfill=event.backfill,
    )


def status() -> Call[api.GetStatusResponse, RankerStatus]:
    return Call("GetStatus", api.GetStatusRequest(), lambda answer: _status(answer.ranker))


def _status(status: inspection_pb2.RankerStatus) -> RankerStatus:
    model, loaded = status.model, status.trending_loaded_at
    return RankerStatus(
        model=ModelFacts(
            model.model_version,
            model.created_at,
            model.width,
            model.user_width,
            model.tower,
            model.ranking,
            model.items,
            dict(model.metrics),
        ),
        started_at=status.started_at.ToDatetime(UTC),
        items_known=status.items_known,
        items_shown=status.items_shown,
        indexes=tuple(
            IndexStatus(one.name, one.base, one.delta, one.tombstones) for one in status.indexes
        ),
        people=status.people,
        people_bytes=status.people_bytes,
        people_max_bytes=status.people_max_bytes,
        filters=status.filters,
        trending_items=status.trending_items,
        trending_loaded_at=(
            loaded.ToDatetime(UTC) if status.HasField("trending_loaded_at") else None
        ),
        readers=tuple(
            ReaderStatus(one.topic, one.caught_up, one.lag if one.HasField("lag") else None)
            for one in status.readers
        ),
    )


def _inspected(answer: api.InspectRecommendationsResponse) -> InspectedList:
    told = answer.inspection
    return InspectedList(
        recommendations=from_recommendations(answer.list),
        person=_person(told.person) if told.HasField("person") else None,
        steps=tuple(
            InspectedStep(one.name, one.kept, one.removed, one.moved, _named(one.examples))
            for one in told.steps
        ),
        sources=tuple(FoundBy(_source(one.source), one.found, one.shown) for one in told.sources),
        candidates=tuple(map(_candidate, told.candidates)),
        found=told.found,
        events=tuple(map(history_entry, answer.events)),
        interests=tuple(answer.interests),
    )


def _person(person: inspection_pb2.InspectedPerson) -> InspectedPerson:
    at = person.last_occurred_at.ToDatetime(UTC) if person.HasField("last_occurred_at") else None
    return InspectedPerson(
        person.n, person.epoch, person.has_vector, person.seen, _named(person.recent), at
    )


def _candidate(one: inspection_pb2.Candidate) -> InspectedCandidate:
    return InspectedCandidate(
        item=NamedItem(one.item.item_id, one.item.title),
        categories=tuple(one.categories),
        source=_source(one.source),
        retrieval_rank=one.retrieval_rank,
        retrieval_score=one.retrieval_score if one.HasField("retrieval_score") else None,
        rank=one.rank,
        score=one.score,
        boosted_score=one.boosted_score if one.HasField("boosted_score") else None,
        boosted_rank=one.boosted_rank,
        place=one.place,
        left_out=tuple(one.left_out),
    )


def _named(items: Iterable[inspection_pb2.NamedItem]) -> tuple[NamedItem, ...]:
    return tuple(NamedItem(one.item_id, one.title) for one in items)


def _source(number: int) -> Source:
    return cast("Source", name_of(ranker_pb2.Source, "SOURCE_", number))
