"""What this service measures besides what every process does."""

from prometheus_client import Counter, Gauge, Histogram

from headrace.runtime.metrics import LATENCY_BUCKETS

ITEMS_ENCODED = Counter("headrace_items_encoded_total", "Items whose vector was computed.")
ITEM_VECTOR_SECONDS = Histogram(
    "headrace_item_vector_seconds",
    "From an item's change to its vector being in Kafka; changes made while this process runs.",
    buckets=LATENCY_BUCKETS,
)
ITEMS_WITHOUT_VECTOR = Gauge(
    "headrace_items_without_vector",
    "Items, hidden ones included, without a vector of their present revision.",
)
CATALOGUE_ITEMS = Gauge("headrace_catalogue_items", "Items that are not hidden.")
PICTURE_FETCHES = Counter(
    "headrace_picture_fetches_total",
    "Pictures that were asked for; `outcome`: read, or why not (docs/operations.md).",
    ["outcome"],
)
SEARCHES = Counter(
    "headrace_searches_total",
    "Searches answered, first pages; `match` tells how: all_words, corrected, some_words, none.",
    ["match"],
)
