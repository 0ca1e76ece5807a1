"""What event_ingest counts: after the commit, so that a batch tried again counts once."""

from prometheus_client import Counter, Gauge, Histogram

from headrace.runtime.metrics import LATENCY_BUCKETS

EVENTS = Counter(
    "headrace_events_total",
    "Events by what became of them: stored, repeated, waiting, released (waited and is stored now),"
    " refused, opted_out (the person does not want that it is kept),"
    " erased (the person was erased after it).",
    ["type", "outcome"],
)
OUT_OF_ORDER = Counter(
    "headrace_events_out_of_order_total",
    "Events that occurred before the one that precedes them in the same person's log.",
)
WAITING = Gauge(
    "headrace_events_waiting_for_item",
    "Events in Postgres that wait for their item. The same in every replica: take the maximum.",
)
INGEST_SECONDS = Histogram(
    "headrace_ingest_seconds",
    "Time from accepting an event to storing it; imports and events that waited are left out.",
    buckets=LATENCY_BUCKETS,
)
BEHAVIOUR_AS_OF = Gauge(
    "headrace_behaviour_refreshed_timestamp_seconds",
    "As of when behaviour was last counted, by any replica: take the maximum.",
)
BEHAVIOUR_SECONDS = Gauge(
    "headrace_behaviour_refresh_seconds",
    "How long the last count of behaviour took, by any replica.",
)
