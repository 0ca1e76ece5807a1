"""What this service measures beside the metrics of every process."""

from prometheus_client import Counter, Gauge, Histogram

from headrace.runtime.metrics import LATENCY_BUCKETS

STEPS = Counter("headrace_user_steps_total", "Interactions applied to people's states.")
REBUILDS = Counter(
    "headrace_user_rebuilds_total",
    "States brought up to date from the log in Postgres, by what made it necessary.",
    ["reason"],
)
GAPS = Counter(
    "headrace_user_gaps_total", "People whose next interaction from Kafka was not the next one."
)
UNKNOWN_ITEMS = Counter(
    "headrace_user_unknown_items_total", "Interactions with an item that nobody knows."
)
CONFLICTS = Counter(
    "headrace_user_state_conflicts_total", "States not written because a later one was stored."
)
CACHE_HITS = Counter("headrace_user_state_cache_hits_total", "States found in memory.")
CACHE_MISSES = Counter("headrace_user_state_cache_misses_total", "States read from Postgres.")
CACHE_BYTES = Gauge("headrace_user_state_cache_bytes", "Memory held by cached states, estimated.")
EMBED_SECONDS = Histogram(
    "headrace_embed_seconds",
    "From an interaction's acceptance to its vector on the way to rankers; imports left out.",
    buckets=LATENCY_BUCKETS,
)
UNTOLD = Counter(
    "headrace_user_vectors_untold_total",
    "Rebuilt vectors that rankers were not told of, because too many waited for Kafka.",
)
