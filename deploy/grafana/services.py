"""A dashboard a service."""

from deploy.grafana.panels import Board, Panel, Row
from deploy.grafana.process_rows import grpc, kafka, process, saturation
from deploy.grafana.queries import mean, quantile, quantiles, rate, share

_FRESH = "headrace_freshness_seconds"
_HTTP = "headrace_http_request_seconds"
_STAGE = "headrace_recommend_seconds"
_HITS = rate("headrace_user_state_cache_hits_total")
_MISSES = rate("headrace_user_state_cache_misses_total")

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
                Panel(
                    "Pictures asked for, by outcome",
                    {"{{outcome}}": rate("headrace_picture_fetches_total", "outcome")},
                    "reqps",
                    width=24,
                    about="Where HEADRACE_PICTURE_ORIGINS names servers: docs/operations.md.",
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
