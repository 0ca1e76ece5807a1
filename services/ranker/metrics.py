"""Metrics of the ranker."""

from prometheus_client import Counter, Gauge, Histogram

from headrace.index.vector_index import VectorIndex
from headrace.runtime.metrics import LATENCY_BUCKETS
from services.ranker.catalogue import Catalogue
from services.ranker.users import UserCache

# A stage of a list takes a part of the 2 ms that a list may take here.
_STAGE_BUCKETS = (0.0001, 0.00025, 0.0005, *LATENCY_BUCKETS)

RECOMMEND_SECONDS = Histogram(
    "headrace_recommend_seconds",
    "Time to make a list, by stage: fetch, retrieve, score, total.",
    ["stage"],
    buckets=_STAGE_BUCKETS,
)
CANDIDATES = Histogram(
    "headrace_candidates",
    "Candidates scored for a list.",
    buckets=(0, 1, 10, 50, 100, 200, 300, 500, 1_000, 2_000),
)
COMPUTING = Gauge(
    "headrace_ranker_computing", "Lists that are computed or wait for a thread that does."
)
LISTS = Counter(
    "headrace_lists_total",
    "Lists made, by what found their first item (none: an empty list) and why they are degraded.",
    ["source", "degraded"],
)
BATCH_LISTS = Counter("headrace_batch_lists_total", "Lists made in batches.")
FRESHNESS = Histogram(
    "headrace_freshness_seconds",
    "From an event's acceptance until its vector is usable here; imports left out.",
    buckets=LATENCY_BUCKETS,
)
CACHE_LOOKUPS = Counter(
    "headrace_user_cache_lookups_total", "Look-ups of people's vectors.", ["result"]
)
TRENDING_LOADED = Gauge(
    "headrace_trending_loaded_timestamp_seconds", "When what is trending was last read."
)

_CACHE_BYTES = Gauge("headrace_user_cache_bytes", "Memory taken by people's vectors.")
_CACHE_USERS = Gauge("headrace_user_cache_users", "People whose vectors are cached.")
_CATALOGUE_ITEMS = Gauge("headrace_ranker_catalogue_items", "Items that can be recommended.")
_INDEX_VECTORS = Gauge(
    "headrace_index_vectors", "Vectors in an index, by part: base, delta, tombstones.",
    ["index", "part"],
)  # fmt: skip


def watch_cache(cache: UserCache) -> None:
    """The gauges read the cache whenever they are scraped."""
    _CACHE_BYTES.set_function(lambda: cache.size_bytes)
    _CACHE_USERS.set_function(lambda: len(cache))


def watch_catalogue(catalogue: Catalogue) -> None:
    _CATALOGUE_ITEMS.set_function(lambda: len(catalogue.view.live))


def watch_index(name: str, index: VectorIndex) -> None:
    _INDEX_VECTORS.labels(name, "base").set_function(lambda: index.sizes().base)
    _INDEX_VECTORS.labels(name, "delta").set_function(lambda: index.sizes().delta)
    _INDEX_VECTORS.labels(name, "tombstones").set_function(lambda: index.sizes().tombstones)
