"""Metrics that every process has. Those of one service stand in that service.

Prefix `headrace_`, base units, never an id as a label.
"""

from prometheus_client import Counter, Gauge, Histogram

# From the figures to reach: a list in 4 ms (median) and 15 ms (p99), freshness 25 and 100 ms.
LATENCY_BUCKETS = (
    0.001, 0.002, 0.004, 0.008, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
)  # fmt: skip

GRPC_REQUESTS = Counter("headrace_grpc_requests_total", "gRPC calls answered.", ["method", "code"])
GRPC_SECONDS = Histogram(
    "headrace_grpc_request_seconds",
    "Time to answer a gRPC call.",
    ["method"],
    buckets=LATENCY_BUCKETS,
)

CALLERS_REFUSED = Counter(
    "headrace_grpc_callers_refused_total",
    "gRPC calls of services whose certificate does not allow them.",
    ["method", "caller"],
)
CERTIFICATE_ENDS = Gauge(
    "headrace_certificate_ends_seconds", "When the certificate in use ends, Unix time.", ["use"]
)
CERTIFICATE_RENEWALS = Counter(
    "headrace_certificate_renewals_total",
    "Files of a certificate that changed while running, by whether they were taken or refused.",
    ["use", "result"],
)

LOOP_LAG = Histogram(
    "headrace_event_loop_lag_seconds",
    "How much later than asked the event loop woke a task.",
    buckets=LATENCY_BUCKETS,
)

KAFKA_PENDING = Gauge(
    "headrace_kafka_pending_bytes",
    "Keys and values handed over and not yet acknowledged by Kafka.",
)
KAFKA_PROCESSED = Counter(
    "headrace_kafka_records_processed_total", "Records taken from a topic and done.", ["topic"]
)
KAFKA_DEAD_LETTERS = Counter(
    "headrace_kafka_dead_letters_total",
    "Records that could not be used, by reason.",
    ["topic", "reason"],
)
KAFKA_PUBLISHED = Counter(
    "headrace_kafka_records_published_total", "Records that Kafka acknowledged.", ["topic"]
)
KAFKA_BATCH_SECONDS = Histogram(
    "headrace_kafka_batch_seconds",
    "Time to process a batch of records.",
    ["topic"],
    buckets=LATENCY_BUCKETS,
)
KAFKA_LAG = Gauge(
    "headrace_kafka_lag_records",
    "Records of this process's share of a topic that are not done yet, by the consumer's group"
    " (empty: a reader of everything).",
    ["topic", "group"],
)
KAFKA_RETRIES = Counter(
    "headrace_kafka_batch_retries_total",
    "Batches tried again because a dependency was away.",
    ["topic"],
)
ROUND_FAILURES = Counter(
    "headrace_round_failures_total",
    "Rounds of background work that failed and are tried again, by name.",
    ["name"],
)
