"""The dashboards."""

from deploy.grafana.accuracy import ACCURACY
from deploy.grafana.panels import Board, Panel, Row
from deploy.grafana.process_rows import grpc, kafka, process, saturation
from deploy.grafana.queries import LISTS, mean, quantile, quantiles, rate, share, total
from deploy.grafana.releases import RELEASES

_FRESH = "headrace_freshness_seconds"
_DEAD = "headrace_kafka_dead_letters_total"
_HTTP = "headrace_http_request_seconds"
_STAGE = "headrace_recommend_seconds"
_HITS = rate("headrace_user_state_cache_hits_total")
_MISSES = rate("headrace_user_state_cache_misses_total")


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

GATEWAY = Board(
    "gateway",
    "Headrace / gateway",
    [
        process("gateway"),
        saturation(
            "gateway",
            Panel(
                "Served lists that wait to be noted down",
                {"{{instance}}": "headrace_gateway_impressions_queued"},
                about="At 2,000 more are dropped, and counted.",
            ),
        ),
        Row(
            "HTTP",
            [
                Panel(
                    "Requests by route",
                    {"{{route}}": rate("headrace_http_requests_total", "route")},
                    "reqps",
                ),
                Panel(
                    "Answers by status",
                    {"{{status}}": rate("headrace_http_requests_total", "status")},
                    "reqps",
                ),
                Panel("p99 by route", {"{{route}}": quantile(_HTTP, 0.99, "route")}, "s"),
            ],
        ),
        grpc("gateway"),
        Row(
            "Lists and events",
            [
                Panel(
                    "Lists, by why they are degraded",
                    {"{{degraded}}": rate("headrace_gateway_lists_total", "degraded")},
                    "reqps",
                ),
                Panel(
                    "Events accepted, by type",
                    {"{{type}}": rate("headrace_gateway_events_accepted_total", "type")},
                    "cps",
                ),
                Panel(
                    "Background work that failed",
                    {"{{name}}": rate("headrace_round_failures_total", "name", 'job="gateway"')},
                    "cps",
                ),
            ],
        ),
        Row(
            "People and records",
            [
                Panel(
                    "Log-ins by outcome",
                    {
                        "{{outcome}}": rate("headrace_gateway_log_ins_total", "outcome"),
                        "refresh tokens used twice": rate(
                            "headrace_gateway_refresh_tokens_reused_total"
                        ),
                    },
                    "cps",
                ),
                Panel(
                    "Mails by outcome",
                    {"{{outcome}}": rate("headrace_gateway_mails_total", "outcome")},
                    "cps",
                ),
                Panel(
                    "Served lists noted down, by outcome",
                    {"{{outcome}}": rate("headrace_gateway_impressions_total", "outcome")},
                    "cps",
                ),
                Panel(
                    "Who watches live events",
                    {"watchers": "sum(headrace_gateway_live_listeners)"},
                    width=12,
                ),
                Panel(
                    "Live events that a watcher missed",
                    {"events": rate("headrace_gateway_live_events_dropped_total")},
                    "cps",
                    "They come faster than a browser takes them.",
                    width=12,
                ),
            ],
        ),
    ],
)

EVENT_INGEST = Board(
    "event_ingest",
    "Headrace / event_ingest",
    [
        process("event_ingest"),
        saturation("event_ingest"),
        Row(
            "Events",
            [
                Panel(
                    "By what became of them",
                    {"{{outcome}}": rate("headrace_events_total", "outcome")},
                    "cps",
                ),
                Panel("Accepted → stored", quantiles("headrace_ingest_seconds"), "s"),
                Panel(
                    "Waiting for their item",
                    {"events": "max(headrace_events_waiting_for_item)"},
                    threshold=1000,
                ),
                Panel(
                    "Late ones",
                    {"events": rate("headrace_events_out_of_order_total")},
                    "cps",
                    width=12,
                ),
                Panel(
                    "Seconds a batch",
                    quantiles("headrace_kafka_batch_seconds", 'job="event_ingest"'),
                    "s",
                    width=12,
                ),
            ],
        ),
        Row(
            "Behaviour",
            [
                Panel(
                    "Age of the counts",
                    {"age": "time() - max(headrace_behaviour_refreshed_timestamp_seconds)"},
                    "s",
                    "A minute, or twenty times as long as a count takes.",
                    width=12,
                ),
                Panel(
                    "A count takes",
                    {"count": "max(headrace_behaviour_refresh_seconds)"},
                    "s",
                    width=12,
                ),
            ],
        ),
        kafka("event_ingest"),
    ],
)

USER_EMBEDDING = Board(
    "user_embedding",
    "Headrace / user_embedding",
    [
        process("user_embedding"),
        saturation("user_embedding"),
        Row(
            "States",
            [
                Panel(
                    "Steps of the RNN", {"interactions": rate("headrace_user_steps_total")}, "cps"
                ),
                Panel("Accepted → vector", quantiles("headrace_embed_seconds"), "s"),
                Panel(
                    "Rebuilt from the log, by reason",
                    {"{{reason}}": rate("headrace_user_rebuilds_total", "reason")},
                    "cps",
                ),
                Panel(
                    "States found in memory",
                    {"share": f"({_HITS}) / (({_HITS}) + ({_MISSES}))"},
                    "percentunit",
                ),
                Panel(
                    "Cache",
                    {"{{instance}}": "headrace_user_state_cache_bytes"},
                    "bytes",
                    "At most HEADRACE_STATE_CACHE_MB a process.",
                ),
                Panel(
                    "What went wrong and was mended",
                    {
                        "gaps": rate("headrace_user_gaps_total"),
                        "unknown items": rate("headrace_user_unknown_items_total"),
                        "older states not written": rate("headrace_user_state_conflicts_total"),
                        "vectors not told": rate("headrace_user_vectors_untold_total"),
                    },
                    "cps",
                ),
            ],
        ),
        grpc("user_embedding"),
        kafka("user_embedding"),
    ],
)

ITEM_EMBEDDING = Board(
    "item_embedding",
    "Headrace / item_embedding",
    [
        process("item_embedding"),
        saturation("item_embedding"),
        Row(
            "Catalogue",
            [
                Panel("Items", {"items": "max(headrace_catalogue_items)"}, kind="stat", width=3),
                Panel(
                    "Without a vector",
                    {"items": "max(headrace_items_without_vector)"},
                    kind="stat",
                    width=3,
                    threshold=1,
                ),
                Panel("Encoded", {"items": rate("headrace_items_encoded_total")}, "cps", width=6),
                Panel(
                    "Searches by match",
                    {"{{match}}": rate("headrace_searches_total", "match")},
                    "reqps",
                    width=6,
                ),
                Panel(
                    "Item changed → vector", quantiles("headrace_item_vector_seconds"), "s", width=6
                ),
            ],
        ),
        grpc("item_embedding"),
        kafka("item_embedding"),
    ],
)

RANKER = Board(
    "ranker",
    "Headrace / ranker",
    [
        process("ranker"),
        saturation(
            "ranker",
            Panel(
                "Lists under way, clicks that wait",
                {
                    "lists {{instance}}": "headrace_ranker_computing",
                    "clicks {{instance}}": "headrace_accuracy_waiting",
                },
                about="HEADRACE_COMPUTE_THREADS lists are computed at the same time, others wait.",
            ),
        ),
        Row(
            "Lists",
            [
                Panel(
                    "By what found the first item",
                    {"{{source}}": rate("headrace_lists_total", "source")},
                    "reqps",
                    width=6,
                ),
                Panel("p50 by stage", {"{{stage}}": quantile(_STAGE, 0.5, "stage")}, "s", width=6),
                Panel("p99 by stage", {"{{stage}}": quantile(_STAGE, 0.99, "stage")}, "s", width=6),
                Panel(
                    "Candidates scored for a list, mean",
                    {"items": mean("headrace_candidates")},
                    width=6,
                ),
                Panel(
                    "Vectors found in memory",
                    {
                        "share": share(
                            'headrace_user_cache_lookups_total{result="hit"}',
                            "headrace_user_cache_lookups_total",
                        )
                    },
                    "percentunit",
                    width=6,
                ),
                Panel(
                    "Age of what is trending",
                    {"{{instance}}": "time() - headrace_trending_loaded_timestamp_seconds"},
                    "s",
                    width=6,
                    threshold=300,
                ),
                Panel("Accepted → usable here", quantiles(_FRESH), "s", width=6),
                Panel(
                    "Lists made in batches",
                    {"lists": rate("headrace_batch_lists_total")},
                    "cps",
                    width=6,
                ),
            ],
        ),
        Row(
            "Memory",
            [
                Panel("Items", {"{{instance}}": "headrace_ranker_catalogue_items"}, width=6),
                Panel(
                    "Vectors, by index and part",
                    {"{{index}} {{part}}": "max by (index, part) (headrace_index_vectors)"},
                    about="delta and tombstones fall to 0 when an index is rebuilt.",
                    width=6,
                ),
                Panel("People cached", {"{{instance}}": "headrace_user_cache_users"}, width=6),
                Panel(
                    "Cache of people",
                    {"{{instance}}": "headrace_user_cache_bytes"},
                    "bytes",
                    width=6,
                ),
            ],
        ),
        grpc("ranker"),
        kafka("ranker"),
    ],
)

BOARDS = (
    OVERVIEW,
    LATENCY,
    PIPELINE,
    ACCURACY,
    RELEASES,
    GATEWAY,
    EVENT_INGEST,
    USER_EMBEDDING,
    ITEM_EMBEDDING,
    RANKER,
)
