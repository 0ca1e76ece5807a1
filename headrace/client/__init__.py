"""The Python client.

with Headrace("127.0.0.1:50051", api_key=key) as headrace:
    event_id = headrace.record_event("259", "50", "click")
    for item in headrace.recommend("259", n=10, after=event_id).items:
        print(item.title)
"""

from headrace.client.account_models import Account, ApiKey, Session, Visit
from headrace.client.accounts import Accounts
from headrace.client.async_accounts import AsyncAccounts
from headrace.client.async_behaviour import AsyncBehaviour
from headrace.client.async_catalogue import AsyncCatalogue
from headrace.client.async_console import AsyncConsole
from headrace.client.async_privacy import AsyncPrivacy
from headrace.client.asynchronous import AsyncHeadrace
from headrace.client.behaviour import Behaviour
from headrace.client.behaviour_models import Funnel, Retention, Segments, Trends
from headrace.client.blocking import Headrace
from headrace.client.catalogue import Catalogue
from headrace.client.catalogue_models import Facets, FoundItem, FoundItems, Suggestion, UploadReport
from headrace.client.console import Console
from headrace.client.console_models import (
    InspectedCandidate,
    InspectedItem,
    InspectedList,
    InspectedStep,
    LiveEvent,
    LiveEvents,
    RankerStatus,
)
from headrace.client.models import (
    Cause,
    Event,
    EventStatus,
    EventType,
    Explanation,
    HistoryEntry,
    HistoryPage,
    Item,
    ListedItem,
    PersonList,
    Price,
    Recommendations,
    SimilarItems,
    SimilarUser,
    Source,
    Unwanted,
    UnwantedCategory,
    UnwantedItem,
)
from headrace.client.options import Boost, Filter, ListOptions, Pin
from headrace.client.privacy import Privacy
from headrace.client.privacy_models import (
    Erasure,
    ErasureCheck,
    ErasureReceipt,
    Personalisation,
)

__all__ = [
    "Account",
    "Accounts",
    "ApiKey",
    "AsyncAccounts",
    "AsyncBehaviour",
    "AsyncCatalogue",
    "AsyncConsole",
    "AsyncHeadrace",
    "AsyncPrivacy",
    "Behaviour",
    "Boost",
    "Catalogue",
    "Cause",
    "Console",
    "Erasure",
    "ErasureCheck",
    "ErasureReceipt",
    "Event",
    "EventStatus",
    "EventType",
    "Explanation",
    "Facets",
    "Filter",
    "FoundItem",
    "FoundItems",
    "Funnel",
    "Headrace",
    "HistoryEntry",
    "HistoryPage",
    "InspectedCandidate",
    "InspectedItem",
    "InspectedList",
    "InspectedStep",
    "Item",
    "ListOptions",
    "ListedItem",
    "LiveEvent",
    "LiveEvents",
    "PersonList",
    "Personalisation",
    "Pin",
    "Price",
    "Privacy",
    "RankerStatus",
    "Recommendations",
    "Retention",
    "Segments",
    "Session",
    "SimilarItems",
    "SimilarUser",
    "Source",
    "Suggestion",
    "Trends",
    "Unwanted",
    "UnwantedCategory",
    "UnwantedItem",
    "UploadReport",
    "Visit",
]
