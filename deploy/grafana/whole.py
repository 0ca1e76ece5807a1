"""Dashboards of the system as a whole."""

from deploy.grafana.panels import Board, Panel, Row
from deploy.grafana.queries import LISTS, quantile, quantiles, rate, total

_FRESH = "headrace_freshness_seconds"
_DEAD = "headrace_kafka_dead_letters_total"
_HTTP = "headrace_http_request_seconds"
_STAGE = "headrace_recommend_seconds"


def _kept(promise: str, objective: float) -> Panel:
    query = f'1 - headrace:slo_errors:ratio_rate1h{{slo="{promise}"}}'
    return Panel(
        promise.replace("-", " ").capitalize(),
        {"last hour": query},
        "percentunit",
        f"The promise: {100 * objective:g} % in 30 days.",
        kind="stat",
        width=6,
        threshold=objective,
        good="high",
    )


OVERVIEW = Board(
    "overview",
    "Headrace / Overview",
    [
        Row(
            "Do people get good lists quickly?",
            [
                _kept("lists-available", 0.999),
                _kept("lists-fast", 0.99),
                _kept("lists-fresh", 0.99),
                _kept("events-accepted", 0.999),
                Panel("A list, over HTTP", quantiles(_HTTP, LISTS), "s", threshold=0.1),
                Panel("From a click to the rankers", quantiles(_FRESH), "s", threshold=0.5),
                Panel(
                    "Degraded lists by reason",
                    {
                        "{{degraded}}": rate(
                            "headrace_gateway_lists_total", "degraded", 'degraded!="no"'
                        )
                    },
                    "reqps",
                    "Lists that are not what they could be, though people get them.",
                ),
            ],
        ),
        Row(
            "Traffic",
            [
                Panel("Lists", {"lists": rate("headrace_gateway_lists_total")}, "reqps"),
                Panel(
                    "Events accepted, by type",
                    {"{{type}}": rate("headrace_gateway_events_accepted_total", "type")},
                    "cps",
                ),
                Panel(
                    "What found a list's first item",
                    {"{{source}}": rate("headrace_lists_total", "source")},
                    "reqps",
                    "Trending: a person without a history, a cold start.",
                ),
            ],
        ),
        Row(
            "Health",
            [
                Panel("Processes that answer", {"{{job}}": "sum by (job) (up)"}, width=6),
                Panel(
                    "Dead letters by reason",
                    {"{{topic}} {{reason}}": total(_DEAD, "topic, reason")},
                    about="Since the processes were started.",
                    width=6,
                ),
                Panel(
                    "Background work that failed",
                    {"{{job}} {{name}}": rate("headrace_round_failures_total", "job, name")},
                    "cps",
                    width=6,
                ),
                Panel(
                    "New certificates that were refused",
                    {
                        "{{job}} {{use}}": rate(
                            "headrace_certificate_renewals_total", "job, use", 'result="refused"'
                        )
                    },
                    "cps",
                    "The one before goes on until it ends.",
                    width=6,
                ),
            ],
        ),
    ],
)

LATENCY = Board(
    "latency",
    "Headrace / Latency",
    [
        Row(
            "A list, from the outside inwards",
            [
                Panel("Gateway, HTTP", quantiles(_HTTP, LISTS), "s"),
                Panel(
                    "Ranker, gRPC",
                    quantiles("headrace_grpc_request_seconds", 'job="ranker", method="Recommend"'),
                    "s",
                ),
                Panel(
                    "Ranker, p99 by stage",
                    {"{{stage}}": quantile(_STAGE, 0.99, "stage")},
                    "s",
                    "fetch: the person's vector; retrieve: FAISS; score: the NCF head.",
                ),
            ],
        ),
        Row(
            "Routes",
            [
                Panel(
                    "HTTP, p99 by route",
                    {"{{route}}": quantile(_HTTP, 0.99, "route")},
                    "s",
                    width=12,
                ),
                Panel(
                    "gRPC, p99 by service and method",
                    {
                        "{{job}} {{method}}": quantile(
                            "headrace_grpc_request_seconds", 0.99, "job, method"
                        )
                    },
                    "s",
                    width=12,
                ),
            ],
        ),
    ],
)

PIPELINE = Board(
    "pipeline",
    "Headrace / Pipeline",
    [
        Row(
            "From a click to the rankers, by stage",
            [
                Panel("Accepted → stored", quantiles("headrace_ingest_seconds"), "s", width=6),
                Panel("Accepted → vector", quantiles("headrace_embed_seconds"), "s", width=6),
                Panel(
                    "Accepted → usable in rankers", quantiles(_FRESH), "s", width=6, threshold=0.5
                ),
                Panel(
                    "Item changed → vector", quantiles("headrace_item_vector_seconds"), "s", width=6
                ),
            ],
        ),
        Row(
            "Flow",
            [
                Panel(
                    "Records published, by topic",
                    {"{{topic}}": rate("headrace_kafka_records_published_total", "topic")},
                    "cps",
                ),
                Panel(
                    "Records done, by service and topic",
                    {
                        "{{job}} {{topic}}": rate(
                            "headrace_kafka_records_processed_total", "job, topic"
                        )
                    },
                    "cps",
                ),
                Panel(
                    "Lag, by group and topic",
                    {"{{group}} {{topic}}": "headrace:kafka_lag_records:sum"},
                    about="Records that a group has before it, those under way included.",
                    threshold=10_000,
                ),
                Panel(
                    "Seconds a batch, p99 by topic",
                    {"{{topic}}": quantile("headrace_kafka_batch_seconds", 0.99, "topic")},
                    "s",
                ),
                Panel(
                    "Repeated batches, by topic",
                    {"{{topic}}": rate("headrace_kafka_batch_retries_total", "topic")},
                    "cps",
                    "Something that the batch needs is away.",
                ),
                Panel(
                    "Dead letters, by topic and reason",
                    {"{{topic}} {{reason}}": total(_DEAD, "topic, reason")},
                    about="Since the processes were started.",
                ),
            ],
        ),
    ],
)
