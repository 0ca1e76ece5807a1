"""The Python client.

with Headrace("127.0.0.1:50051", api_key=key) as headrace:
    event_id = headrace.record_event("259", "50", "click")
    for item in headrace.recommend("259", n=10, after=event_id).items:
        print(item.title)
"""

from headrace.client.asynchronous import AsyncHeadrace
from headrace.client.blocking import Headrace
from headrace.client.models import (
    Event,
    EventStatus,
    EventType,
    Item,
    ListedItem,
    Recommendations,
    SimilarItems,
    Source,
)

__all__ = [
    "AsyncHeadrace",
    "Event",
    "EventStatus",
    "EventType",
    "Headrace",
    "Item",
    "ListedItem",
    "Recommendations",
    "SimilarItems",
    "Source",
]
